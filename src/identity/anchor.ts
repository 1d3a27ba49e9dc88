/**
 * Anchors: in, the graph; out, whom a node stands for at a time. A login stands for itself, a contact for the login
 * that holds it, a device for its owner of that time. Nodes named in a decision stand for themselves (a device: for
 * its part in each owner's time, a sub-node), and their claims become edges that may be refused.
 *
 * A view remembers what it worked out, so it is good until evidence is added.
 */
import { deviceClaimOf } from './decision-effect.ts'
import { byTime, type Claim, compareText, type Link, type NodeId, orderOfClaims } from './evidence.ts'
import { type EvidenceGraph, type GraphNode, isSeen } from './graph.ts'
import { fitsBeside } from './limit.ts'
import { placeOf } from './sorted.ts'

/** The part of a device that belongs to one claimer: `device/claimer`. */
export type SubNode = `${NodeId}/${NodeId}`
export type Vertex = NodeId | SubNode

export const subNode = (device: NodeId, claimer: NodeId): SubNode => `${device}/${claimer}`

/** The node of a vertex. */
export const nodeOf = (vertex: Vertex): NodeId =>
  typeof vertex === 'number' ? vertex : Number(vertex.slice(0, vertex.indexOf('/')))

export class View {
  readonly graph: EvidenceGraph
  readonly #deviceClaims = new Map<NodeId, Claim[]>()
  readonly #held = new Map<NodeId, Map<string, Set<NodeId>>>()
  readonly #crowded = new Map<NodeId, boolean>()

  constructor(graph: EvidenceGraph) {
    this.graph = graph
  }

  /** A node is explicit while a decision names it. */
  isExplicit(node: NodeId): boolean {
    return this.graph.decisions.naming(node).length > 0
  }

  anchor(id: NodeId, at: number): Vertex {
    const node = this.graph.node(id)
    if (node.rule.class === 'contact') return this.contactAnchor(node)
    const claim = node.rule.class === 'device' ? this.ownerAt(id, at) : undefined
    if (!claim) return id
    return this.isExplicit(id) ? subNode(id, claim.by) : claim.by
  }

  contactAnchor(contact: GraphNode): NodeId {
    if (this.isExplicit(contact.id)) return contact.id
    const choice = this.choice(contact.id)
    return choice && this.held(choice.by, contact.namespace).has(contact.id) ? choice.by : contact.id
  }

  /** The claim that decides whose a contact is. */
  choice(contact: NodeId): Claim | undefined {
    return this.graph.evidence(contact).claims[0]
  }

  /** Contacts of this namespace that chose this login, in the order in which it may keep them. */
  choosing(login: NodeId, namespace: string): GraphNode[] {
    const chosen: { node: GraphNode; choice: Claim }[] = []
    for (const id of this.graph.evidence(login).claimed) {
      const node = this.graph.node(id)
      if (node.namespace !== namespace || this.isExplicit(id)) continue
      const choice = this.choice(id)
      if (choice?.by === login) chosen.push({ node, choice })
    }
    const order = orderOfClaims(this.graph.ruleOf(namespace))
    chosen.sort((x, y) => order(x.choice, y.choice) || compareText(x.node.key, y.node.key))
    return chosen.map(({ node }) => node)
  }

  /**
   * The contacts of this namespace that a login holds: of those that chose it, each that finds room beside all that
   * come before it. There is no second choice: a contact refused here stands alone, and nothing cascades.
   */
  held(login: NodeId, namespace: string): Set<NodeId> {
    const byNamespace = this.#held.get(login) ?? new Map<string, Set<NodeId>>()
    this.#held.set(login, byNamespace)
    let held = byNamespace.get(namespace)
    if (!held) {
      const chosen = this.choosing(login, namespace)
      const rule = this.graph.ruleOf(namespace)
      held = new Set(chosen.filter((node, rank) => fitsBeside(node, chosen.slice(0, rank), rule)).map(node => node.id))
      byNamespace.set(namespace, held)
    }
    return held
  }

  /** Claims on a device by time, operators' merges among them. */
  deviceClaims(device: NodeId): Claim[] {
    const shown = this.graph.evidence(device).claims
    if (!this.isExplicit(device)) return shown
    let claims = this.#deviceClaims.get(device)
    if (!claims) {
      const decided = this.graph.decisions
        .naming(device)
        .flatMap(decision => deviceClaimOf(this.graph, decision, device) ?? [])
      claims = [...shown, ...decided].sort(byTime)
      this.#deviceClaims.set(device, claims)
    }
    return claims
  }

  /** The claim in force: the last one by then, or before all claims the first. */
  ownerAt(device: NodeId, at: number): Claim | undefined {
    const claims = this.deviceClaims(device)
    const after = placeOf(claims, { at } as Claim, (claim, time) => (claim.at <= time.at ? -1 : 1))
    return claims[after - 1] ?? claims[0]
  }

  /** The first claim of each claimer of a device. */
  firstClaims(device: NodeId): Claim[] {
    const first = new Map<NodeId, Claim>()
    for (const claim of this.deviceClaims(device)) if (!first.has(claim.by)) first.set(claim.by, claim)
    return [...first.values()]
  }

  /** False for links between a crowded device (a kiosk, a call centre's browser) and contacts: they join nobody. */
  joins(link: Link): boolean {
    const a = this.graph.node(link.a)
    const b = this.graph.node(link.b)
    if (a.rule.class === 'contact') return b.rule.class !== 'device' || !this.#isCrowded(link.b)
    return b.rule.class !== 'contact' || !this.#isCrowded(link.a)
  }

  #isCrowded(device: NodeId): boolean {
    const { links } = this.graph.evidence(device)
    const { crowd } = this.graph.rules
    if (links.size <= crowd) return false
    let crowded = this.#crowded.get(device)
    if (crowded === undefined) {
      const contacts = [...links.keys()].map(id => this.graph.node(id)).filter(node => node.rule.class === 'contact')
      const sizes = Map.groupBy(contacts, node => node.namespace).values()
      crowded = sizes.some(group => group.length > crowd)
      this.#crowded.set(device, crowded)
    }
    return crowded
  }

  /** The vertices that are this node's own; none for one that stands for others, or was never seen. */
  ownVertices(id: NodeId): Vertex[] {
    const node = this.graph.node(id)
    if (!isSeen(node) || node.rule.class === 'none') return []
    if (node.rule.class === 'login') return [id]
    if (node.rule.class === 'contact') return this.contactAnchor(node) === id ? [id] : []
    if (!this.isExplicit(id)) return this.deviceClaims(id).length === 0 ? [id] : []
    return [id, ...this.firstClaims(id).map(claim => subNode(id, claim.by))]
  }
}
