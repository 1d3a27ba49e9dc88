/**
 * One batch of events and decisions: in, a graph of what is known and the batch; out, everything that changes. Pure:
 * what the graph lacks is asked for by yielding a request, which the shell answers from the database.
 *
 * The common event shows nothing new and ends in a few look-ups in memory. The rest is resolved once per batch: take
 * the footprint of the touched nodes before and after, walk the region of what differs, solve it, publish.
 */
import { type Identifier, identifierKey } from '../spec/identifier.ts'
import { nodeOf, View } from './anchor.ts'
import { type Refusal, solve } from './components.ts'
import { type Decision, identifiersOf, type Merge, type Split } from './decision.ts'
import { nodesOf, type StandingDecision } from './decision-book.ts'
import { byPriority, type EventHead, type Evidence, evidenceOf, type NodeId, nobody } from './evidence.ts'
import { changedVertices, footprintOf } from './footprint.ts'
import { type EvidenceGraph, type GraphNode, isSeen, type RowChanges } from './graph.ts'
import {
  candidatesOf,
  changesAmong,
  type ProfileChange,
  type PublishedChange,
  profileAt,
  profileChangesOf,
  publish,
  touchedBy,
} from './publish.ts'
import { walkRegion } from './region.ts'
import { complete, type HistoryEvent, type Step } from './step.ts'

/** An event as identity sees it. */
export interface IdentityEvent extends EventHead {
  identifiers: Identifier[]
  /** What an alias says the login was before. */
  previous?: Identifier[]
}

export type IdentityInput = IdentityEvent | Decision

export interface ResolvedEvent {
  /** The node that the event hangs on, `nobody` for an event without identifiers. */
  hub: NodeId
  /** Its other nodes. */
  nodes: NodeId[]
  /** The company it speaks of, or `nobody`: it joins no one, but is a node with a life of its own. */
  group: NodeId
  /** The profile of the event, as of this batch. */
  profile: NodeId
}

export interface BatchOutcome {
  /** In the order of the batch; a decision's entry is nobody's. */
  events: ResolvedEvent[]
  newNodes: GraphNode[]
  /** Known nodes that are now known to have been seen earlier. */
  seenEarlier: GraphNode[]
  rows: RowChanges
  decisions: Decision[]
  /** Nodes whose person changed. */
  changes: PublishedChange[]
  /** All refusals between these nodes are replaced by these rows. */
  refusals: { nodes: NodeId[]; rows: Refusal[] }
  profileChanges: ProfileChange[]
  touchedProfiles: Set<NodeId>
}

/** What a batch brings that the graph does not know. */
interface News {
  evidence: Evidence[]
  /** Earlier first sights, by node. */
  sightings: Map<NodeId, number>
  decisions: Decision[]
}

/** The nodes of one event. */
interface EventNodes {
  /** The hub first, then the others by priority, then what an alias names: that is never the hub. */
  nodes: GraphNode[]
  /** How many of these the event carried; the rest it only named. */
  carried: number
  group?: GraphNode
  /** Identifiers, a decision's too, that the graph does not list yet. */
  unlisted: Identifier[]
}

export function* resolveBatch(graph: EvidenceGraph, batch: IdentityInput[]): Step<BatchOutcome> {
  const { nodes, newNodes } = yield* findNodes(graph, batch)
  const news = yield* complete(graph, () => newsOf(graph, batch, nodes))
  const outcome: BatchOutcome = {
    ...{ events: [], newNodes, seenEarlier: [], decisions: news.decisions, changes: [] },
    rows: { added: new Set(), removed: new Set() },
    ...{ refusals: { nodes: [], rows: [] }, profileChanges: [], touchedProfiles: new Set() },
  }
  if (news.evidence.length > 0 || news.sightings.size > 0 || news.decisions.length > 0) {
    yield* resolveNews(graph, news, outcome, () => newsOf(graph, batch, nodes))
  }
  outcome.events = yield* complete(graph, () =>
    batch.map((input, index) => resolvedEvent(graph, input, nodes[index] ?? nowhere)),
  )
  for (const [index, { profile, group }] of outcome.events.entries()) {
    if (profile !== nobody) outcome.touchedProfiles.add(profile)
    const input = batch[index]
    if (group !== nobody && input && 'type' in input && input.type === 'group') outcome.touchedProfiles.add(group)
  }
  return outcome
}

/** The nodes of each event, all of them listed, and those that are new to the workspace. */
function* findNodes(
  graph: EvidenceGraph,
  batch: IdentityInput[],
): Step<{ nodes: EventNodes[]; newNodes: GraphNode[] }> {
  const newNodes: GraphNode[] = []
  const nodes = batch.map(input => nodesOfInput(graph, input))
  const unlisted = new Map(nodes.flatMap(found => found.unlisted.map(one => [identifierKey(one), one])))
  if (unlisted.size === 0) return { nodes, newNodes }
  yield {
    kind: 'find',
    identifiers: [...unlisted.values()],
    answer(records) {
      for (const { record, isNew } of records) {
        const node = graph.list(record, isNew)
        if (isNew) newNodes.push(node)
      }
    },
  }
  const again = batch.map((input, index) => {
    const found = nodes[index] ?? nowhere
    return found.unlisted.length === 0 ? found : nodesOfInput(graph, input)
  })
  return { nodes: again, newNodes }
}

const nowhere: EventNodes = { nodes: [], carried: 0, unlisted: [] }

function nodesOfInput(graph: EvidenceGraph, input: IdentityInput): EventNodes {
  let { unlisted } = nowhere
  const find = (identifier: Identifier): GraphNode | undefined => {
    const node = graph.find(identifier)
    if (!node && identifier.namespace in graph.rules.namespaces) unlisted = [...unlisted, identifier]
    return node
  }
  if ('kind' in input) {
    for (const identifier of identifiersOf(input)) find(identifier)
    return { ...nowhere, unlisted }
  }
  const nodes: GraphNode[] = []
  let group: GraphNode | undefined
  for (const identifier of input.identifiers) {
    const node = find(identifier)
    if (node?.rule.class === 'none') group ??= node
    else if (node && !nodes.includes(node)) nodes.push(node)
  }
  nodes.sort(byPriority)
  const carried = nodes.length
  const previous = (input.previous ?? []).flatMap(identifier => find(identifier) ?? [])
  if (nodes[0]?.rule.class === 'login') {
    nodes.push(...previous.filter(node => !nodes.includes(node)).sort(byPriority))
  }
  return group ? { nodes, carried, group, unlisted } : { nodes, carried, unlisted }
}

function newsOf(graph: EvidenceGraph, batch: IdentityInput[], eventNodes: EventNodes[]): News {
  const news: News = { evidence: [], sightings: new Map(), decisions: [] }
  for (const [index, input] of batch.entries()) {
    if ('kind' in input) {
      if (isNewDecision(graph, input)) news.decisions.push(input)
      continue
    }
    const { nodes, carried, group } = eventNodes[index] ?? nowhere
    const sight = (node: GraphNode) => {
      if (input.at >= node.firstSeenAt || input.at >= (news.sightings.get(node.id) ?? Infinity)) return
      news.sightings.set(node.id, input.at)
    }
    for (let place = 0; place < carried; place += 1) sight(nodes[place] as GraphNode)
    if (group) sight(group)
    for (const evidence of evidenceOf(input, nodes)) if (!graph.has(evidence)) news.evidence.push(evidence)
  }
  return news
}

const isNewDecision = ({ decisions }: EvidenceGraph, decision: Decision): boolean =>
  decision.kind === 'undo' ? !decisions.isUndone(decision.decision) : !decisions.find(decision.id)

function* resolveNews(graph: EvidenceGraph, news: News, outcome: BatchOutcome, readAgain: () => News): Step<void> {
  const touched = touchedByNews(graph, news)
  const before = yield* complete(graph, () => {
    for (const end of news.evidence.flatMap(endsOf)) graph.evidence(end)
    return footprintOf(new View(graph), touched)
  })
  for (const decision of news.decisions) takeDecision(graph, decision)
  yield* contestDevices(graph, news, touched, outcome)
  // What the batch says of a device that has just become contested counts in full, also what was no news before.
  const { evidence } = yield* complete(graph, readAgain)
  for (const shown of evidence) graph.insert(shown, outcome.rows)
  const newlySeen = takeSightings(graph, news, outcome)

  const dirty = yield* complete(graph, () => {
    const view = new View(graph)
    const after = footprintOf(view, touched)
    const changed = changedVertices(before, after, touched)
    const region = walkRegion(
      view,
      [...changed].filter(vertex => view.ownVertices(nodeOf(vertex)).includes(vertex)),
    )
    const contacts = new Set([...before.anchors.keys(), ...after.anchors.keys()])
    return { contacts, vertices: region.vertices, changed, components: solve(view, region) }
  })
  outcome.changes = yield* complete(graph, () => {
    const view = new View(graph)
    const candidates = candidatesOf(view, dirty.vertices, dirty.components)
    return changesAmong(view, dirty.components, candidates.union(touched).union(dirty.contacts), newlySeen)
  })
  publish(graph, outcome.changes)
  outcome.refusals = {
    nodes: [...new Set([...dirty.vertices.union(dirty.changed)].map(nodeOf))],
    rows: dirty.components.refusals,
  }
  outcome.profileChanges = yield* complete(graph, () => profileChangesOf(graph, outcome.changes))
  for (const profile of touchedBy(outcome.changes)) outcome.touchedProfiles.add(profile)
}

/** The nodes whose own evidence changes. A login's claim on a node changes that node, not the login. */
function touchedByNews(graph: EvidenceGraph, news: News): Set<NodeId> {
  const touched = new Set<NodeId>(news.sightings.keys())
  for (const evidence of news.evidence) {
    if (evidence.kind === 'claim') touched.add(evidence.node)
    else for (const end of endsOf(evidence)) touched.add(end)
  }
  for (const decision of news.decisions) {
    const taken = decision.kind === 'undo' ? graph.decisions.find(decision.decision) : standing(graph, decision)
    for (const node of taken ? nodesOf(taken) : []) touched.add(node)
  }
  return touched
}

const endsOf = (evidence: Evidence): [NodeId, NodeId] =>
  evidence.kind === 'claim' ? [evidence.node, evidence.by] : [evidence.a, evidence.b]

function takeDecision(graph: EvidenceGraph, decision: Decision): void {
  if (decision.kind === 'undo') {
    graph.decisions.undo(decision.decision)
    return
  }
  const taken = standing(graph, decision)
  if (taken) graph.decisions.put(taken)
}

/** A decision by the numbers of its nodes; nothing where the rules no longer know what it names. */
export function standing(graph: EvidenceGraph, decision: Merge | Split): StandingDecision | undefined {
  const idsOf = (identifiers: Identifier[]) => identifiers.flatMap(identifier => graph.find(identifier)?.id ?? [])
  const { id, at } = decision
  if (decision.kind === 'split') {
    return { kind: 'split', id, at, out: idsOf(decision.out), rest: idsOf(decision.rest) }
  }
  const [node, other] = [...idsOf([decision.node]), ...idsOf([decision.with])]
  if (node === undefined || other === undefined) return undefined
  const { nodeSeenAt, withSeenAt } = decision
  return { kind: 'merge', id, at, node, nodeSeenAt, with: other, withSeenAt }
}

/** A device with its second claimer: from now on all of its events count, the past ones too. */
function* contestDevices(graph: EvidenceGraph, news: News, touched: Set<NodeId>, outcome: BatchOutcome): Step<void> {
  const newIds = new Set(outcome.newNodes.map(node => node.id))
  const claims = news.evidence.filter(evidence => evidence.kind === 'claim')
  const claimsOf = Map.groupBy(claims, claim => claim.node)
  for (const device of touched) {
    if (graph.node(device).rule.class !== 'device' || graph.evidence(device).isFull) continue
    const claimers = graph.claimersOf(device).union(new Set(claimsOf.get(device)?.map(claim => claim.by)))
    if (claimers.size < 2) continue
    if (!newIds.has(device)) yield* fetchHistory(graph, device, outcome.rows)
    graph.evidence(device).isFull = true
  }
}

function* fetchHistory(graph: EvidenceGraph, device: NodeId, rows: RowChanges): Step<void> {
  const partners = yield* complete(graph, () => {
    const { claimers, links } = graph.evidence(device)
    for (const partner of links.keys()) graph.evidence(partner)
    for (const claimer of claimers.keys()) graph.node(claimer)
    return [...claimers.keys(), ...links.keys()]
  })
  const history: HistoryEvent[] = []
  yield { kind: 'history', device, partners, answer: events => void history.push(...events) }
  graph.evidence(device).isFull = true
  for (const event of history) {
    // Nodes that are not listed were never seen with this device without a login: they show nothing about it.
    if (!graph.isListed(event.hub)) continue
    const others = event.nodes.filter(id => graph.isListed(id)).map(id => graph.node(id))
    for (const evidence of evidenceOf(event, [graph.node(event.hub), ...others.sort(byPriority)])) {
      if (endsOf(evidence).includes(device)) graph.insert(evidence, rows)
    }
  }
}

/** Enters earlier first sights; returns the nodes that no event had carried before. */
function takeSightings(graph: EvidenceGraph, news: News, outcome: BatchOutcome): Set<NodeId> {
  const newIds = new Set(outcome.newNodes.map(node => node.id))
  const newlySeen = new Set<NodeId>()
  for (const [id, at] of news.sightings) {
    const node = graph.node(id)
    if (!isSeen(node)) newlySeen.add(id)
    node.firstSeenAt = at
    if (!newIds.has(id)) outcome.seenEarlier.push(node)
  }
  return newlySeen
}

function resolvedEvent(graph: EvidenceGraph, input: IdentityInput, { nodes, group }: EventNodes): ResolvedEvent {
  const [hub, ...others] = nodes
  const found = { nodes: others.map(node => node.id), group: group?.id ?? nobody }
  if (!hub || 'kind' in input) return { hub: nobody, profile: nobody, ...found }
  return { hub: hub.id, profile: profileAt(graph, hub.id, input.at), ...found }
}
