/**
 * What a change can move: in, the nodes that a batch touches, before and after it; out, the vertices whose edges or
 * contents differ. Everything else keeps its component. Owners of a touched device are *not* dirty as such: a claim by
 * itself couples nothing, so a late login on a kiosk with 5,000 logins recomputes a handful of vertices.
 */
import { subNode, type Vertex, type View } from './anchor.ts'
import type { Link, NodeId } from './evidence.ts'
import { isSeen } from './graph.ts'

export interface Footprint {
  /** Ends of each edge at the touched nodes, by what shows it. */
  edges: Map<Link | string, readonly [Vertex, Vertex]>
  /** Whom the touched contacts, and those ranked with them, stand for. */
  anchors: Map<NodeId, Vertex>
  /** Vertices of the touched nodes themselves. */
  own: Set<Vertex>
}

export function footprintOf(view: View, touched: Iterable<NodeId>): Footprint {
  const footprint: Footprint = { edges: new Map(), anchors: new Map(), own: new Set() }
  const scanned = new Set(touched)
  for (const id of touched) {
    const node = view.graph.node(id)
    if (!isSeen(node)) continue
    for (const vertex of view.ownVertices(id)) footprint.own.add(vertex)
    if (node.rule.class === 'contact') {
      for (const contact of rankedWith(view, id)) {
        footprint.anchors.set(contact, view.anchor(contact, 0))
        scanned.add(contact)
      }
    }
    if (view.isExplicit(id)) addClaimEdges(view, id, footprint)
  }
  for (const id of scanned) addLinkEdges(view, id, footprint)
  return footprint
}

/** The contact and all that chose the same login: its rank may change theirs. */
function rankedWith(view: View, contact: NodeId): Set<NodeId> {
  const choice = view.choice(contact)
  const { namespace } = view.graph.node(contact)
  return new Set([contact, ...(choice ? view.choosing(choice.by, namespace).map(node => node.id) : [])])
}

function addClaimEdges(view: View, id: NodeId, { edges }: Footprint): void {
  const isDevice = view.graph.node(id).rule.class === 'device'
  const claims = isDevice ? view.firstClaims(id) : view.graph.evidence(id).claimers.values()
  for (const { by } of claims) edges.set(`${id} ${by}`, [isDevice ? subNode(id, by) : id, by])
}

function addLinkEdges(view: View, id: NodeId, { edges }: Footprint): void {
  for (const rows of view.graph.evidence(id).links.values()) {
    for (const link of rows) {
      if (edges.has(link) || !view.joins(link)) continue
      const u = view.anchor(link.a, link.at)
      const v = view.anchor(link.b, link.at)
      if (u !== v) edges.set(link, [u, v])
    }
  }
}

/** The vertices whose surroundings differ between two footprints of the same nodes. */
export function changedVertices(before: Footprint, after: Footprint, touched: ReadonlySet<NodeId>): Set<Vertex> {
  const changed = before.own.union(after.own)
  for (const contact of keysOf(before.anchors, after.anchors)) {
    const was = before.anchors.get(contact)
    const is = after.anchors.get(contact)
    if (was === is && !touched.has(contact)) continue
    if (was !== undefined) changed.add(was)
    if (is !== undefined) changed.add(is)
  }
  for (const edge of keysOf(before.edges, after.edges)) {
    const was = before.edges.get(edge)
    const is = after.edges.get(edge)
    if (was && is && was[0] === is[0] && was[1] === is[1]) continue
    for (const end of [...(was ?? []), ...(is ?? [])]) changed.add(end)
  }
  return changed
}

const keysOf = <Key>(one: Map<Key, unknown>, other: Map<Key, unknown>): Set<Key> =>
  new Set(one.keys()).union(new Set(other.keys()))
