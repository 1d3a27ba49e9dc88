/**
 * What the rest of the system reads: in, components; out, for every node whose person changed, its profile or (for a
 * device that several people share) the intervals of its owners, and what that means for profiles as a whole.
 */
import type { Vertex, View } from './anchor.ts'
import { nodeOf } from './anchor.ts'
import { byRepresentation, type Components } from './components.ts'
import { type NodeId, nobody } from './evidence.ts'
import { type EvidenceGraph, type GraphNode, isSeen, type OwnerInterval } from './graph.ts'
import { placeOf } from './sorted.ts'

/** The ends of time for a device's first and last owner, ms: event times are clamped well inside. */
const beginningOfTime = 0
const endOfTime = Date.UTC(2200, 0)

/** `owners` is empty unless `profile` is `nobody`. */
export interface Published {
  profile: NodeId
  owners: OwnerInterval[]
}

/** What became of profiles, named by their representatives. `renamed`: the same people under another id. */
export type ProfileChange =
  | { kind: 'created'; profile: NodeId }
  | { kind: 'merged' | 'renamed' | 'split'; from: NodeId; to: NodeId }

export interface PublishedChange {
  node: NodeId
  /** None for a node that no event had carried before. */
  before?: Published
  after: Published
}

export const publishedOf = (node: GraphNode): Published => ({
  profile: node.profile,
  owners: node.profile === nobody ? (node.evidence?.owners ?? []) : [],
})

/** The profile of a published node at a time. Reads the evidence of contested devices. */
export function profileAt(graph: EvidenceGraph, id: NodeId, at: number): NodeId {
  const { profile } = graph.node(id)
  if (profile !== nobody || id === nobody) return profile
  const { owners } = graph.evidence(id)
  const after = placeOf(owners, { from: at } as OwnerInterval, (owner, time) => (owner.from <= time.from ? -1 : 1))
  return owners[after - 1]?.profile ?? nobody
}

/** The profile to which a node leads: a shared device's to its owner when it was first seen. */
export const profileLedTo = (graph: EvidenceGraph, id: NodeId): NodeId =>
  profileAt(graph, id, graph.node(id).firstSeenAt)

/** Nodes that may have to be published anew: those of a region's vertices, and all that a renamed login owns. */
export function candidatesOf(view: View, vertices: Iterable<Vertex>, components: Components): Set<NodeId> {
  const candidates = new Set<NodeId>()
  for (const vertex of vertices) {
    const id = nodeOf(vertex)
    candidates.add(id)
    const node = view.graph.node(id)
    if (node.rule.class === 'login' && components.representativeOf(vertex) !== node.profile) {
      for (const owned of view.graph.evidence(id).claimed) candidates.add(owned)
    }
  }
  return candidates
}

/** What changes among these nodes; `newlySeen` had not been carried by any event before. */
export function changesAmong(
  view: View,
  components: Components,
  candidates: Iterable<NodeId>,
  newlySeen: ReadonlySet<NodeId>,
): PublishedChange[] {
  const { graph } = view
  const changes: PublishedChange[] = []
  for (const id of candidates) {
    const node = graph.node(id)
    if (!isSeen(node)) continue
    const after = assignmentOf(view, components, node)
    if (newlySeen.has(id)) changes.push({ node: id, after })
    else if (!isSame(publishedOf(node), after)) changes.push({ node: id, before: publishedOf(node), after })
  }
  return changes
}

function assignmentOf(view: View, components: Components, node: GraphNode): Published {
  const profileOf = (vertex: Vertex): NodeId =>
    components.representativeOf(vertex) ?? view.graph.node(nodeOf(vertex)).profile
  if (node.rule.class === 'none') return { profile: node.id, owners: [] }
  if (node.rule.class !== 'device') return { profile: profileOf(view.anchor(node.id, 0)), owners: [] }
  const claims = view.deviceClaims(node.id)
  if (claims.length === 0) return { profile: profileOf(node.id), owners: [] }
  const owners: OwnerInterval[] = []
  for (const [index, claim] of claims.entries()) {
    const from = index === 0 ? beginningOfTime : claim.at
    const to = claims[index + 1]?.at ?? endOfTime
    const profile = profileOf(view.isExplicit(node.id) ? `${node.id}/${claim.by}` : claim.by)
    const last = owners.at(-1)
    if (from >= to) continue
    if (last?.profile === profile) last.to = to
    else owners.push({ from, to, profile })
  }
  const [only, ...others] = owners
  return only && others.length === 0 ? { profile: only.profile, owners: [] } : { profile: nobody, owners }
}

const isSame = (x: Published, y: Published): boolean =>
  x.profile === y.profile &&
  x.owners.length === y.owners.length &&
  x.owners.every((owner, index) => {
    const other = y.owners[index]
    return other?.from === owner.from && other.to === owner.to && other.profile === owner.profile
  })

const profilesIn = ({ profile, owners }: Published): NodeId[] =>
  profile === nobody ? owners.map(owner => owner.profile) : [profile]

/** What a device's owners lose and gain. Of a kiosk's thousands a late login changes two or three. */
export function ownersChanged({ before, after }: PublishedChange): { gone: OwnerInterval[]; come: OwnerInterval[] } {
  const keyOf = ({ from, to, profile }: OwnerInterval) => `${from} ${to} ${profile}`
  const old = before?.owners ?? []
  if (old.length === 0 || after.owners.length === 0) return { gone: old, come: after.owners }
  const kept = new Set(old.map(keyOf)).intersection(new Set(after.owners.map(keyOf)))
  const isNotKept = (owner: OwnerInterval) => !kept.has(keyOf(owner))
  return { gone: old.filter(isNotKept), come: after.owners.filter(isNotKept) }
}

/** The profiles that a change takes from and gives to. */
function profilesChanged(change: PublishedChange): { from: NodeId[]; to: NodeId[] } {
  const { before, after } = change
  if (before?.profile !== nobody || after.profile !== nobody) {
    return { from: before ? profilesIn(before) : [], to: profilesIn(after) }
  }
  const { gone, come } = ownersChanged(change)
  return { from: gone.map(owner => owner.profile), to: come.map(owner => owner.profile) }
}

/** Puts changes into the graph. */
export function publish(graph: EvidenceGraph, changes: PublishedChange[]): void {
  for (const { node: id, after } of changes) {
    const node = graph.node(id)
    node.profile = after.profile
    if (node.evidence) node.evidence.owners = after.owners
  }
}

/** Every profile that these changes take from or add to. */
export function touchedBy(changes: PublishedChange[]): Set<NodeId> {
  return new Set(changes.map(profilesChanged).flatMap(({ from, to }) => [...from, ...to]))
}

/**
 * What the changes of nodes, already in the graph, mean for profiles. A profile lives while its representative is in
 * it, and what ended is succeeded by the profile that now holds its representative.
 */
export function profileChangesOf(graph: EvidenceGraph, changes: PublishedChange[]): ProfileChange[] {
  const changeOf = new Map(changes.map(change => [change.node, change]))
  const isIn = (published: Published | undefined, id: NodeId) =>
    published !== undefined && profilesIn(published).includes(id)
  const now = (id: NodeId): Published => {
    const { profile } = graph.node(id)
    return { profile, owners: profile === nobody ? graph.evidence(id).owners : [] }
  }
  const lives = (id: NodeId) => isIn(now(id), id)
  const lived = (id: NodeId) => {
    const change = changeOf.get(id)
    return isIn(change ? change.before : now(id), id)
  }

  const moves = changes.map(profilesChanged)
  const ended = [...new Set(moves.flatMap(({ from }) => from))].filter(id => !lives(id)).map(id => graph.node(id))
  const result: ProfileChange[] = []
  const accounted = new Set<NodeId>()
  for (const { id } of ended.sort(byRepresentation)) {
    const to = profileLedTo(graph, id)
    const isRename = !lived(to) && !accounted.has(to)
    result.push({ kind: isRename ? 'renamed' : 'merged', from: id, to })
    accounted.add(to)
  }
  const begun = new Set(moves.flatMap(({ to }) => to).filter(id => !accounted.has(id) && !lived(id)))
  const origins = originsOf(moves)
  for (const profile of begun) {
    const from = origins.get(profile)
    result.push(from === undefined ? { kind: 'created', profile } : { kind: 'split', from, to: profile })
  }
  return result
}

/** For each profile that was given something, the first that it was taken from. */
function originsOf(moves: { from: NodeId[]; to: NodeId[] }[]): Map<NodeId, NodeId> {
  const origins = new Map<NodeId, NodeId>()
  for (const { from, to } of moves) {
    const [origin] = from
    if (origin === undefined) continue
    for (const profile of to) if (!origins.has(profile)) origins.set(profile, origin)
  }
  return origins
}
