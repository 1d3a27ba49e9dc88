/**
 * The region of a change: in, vertices where something changed; out, every vertex and edge that their components can
 * depend on. The walk goes over edges whether they will be accepted or refused: a refused link couples two profiles,
 * for the one is as it is because the other is there.
 */
import { type SubNode, subNode, type Vertex, type View } from './anchor.ts'
import { newestFirst, nodesOf, type StandingDecision } from './decision-book.ts'
import { effectOf } from './decision-effect.ts'
import { byStrength, byTime, compareText, type Link, type NodeId, type Strength, strengths } from './evidence.ts'
import { isSeen } from './graph.ts'

/** Something that wants two vertices in one component, and the event or decision that showed it. */
export interface Edge {
  kind: 'merge' | 'alias' | 'claim' | 'link'
  u: Vertex
  v: Vertex
  /** The nodes of the evidence, in its own order. */
  a: NodeId
  b: NodeId
  at: number
  messageId: string
  source: string
  strength: Strength
  /** The whole device, to which a part of it goes that its claimer may not have. */
  fallback?: NodeId
}

/** All edges of a region in the order in which they are tried. */
export interface Region {
  vertices: Set<Vertex>
  decisions: StandingDecision[]
  aliases: Edge[]
  /** Claims on explicit nodes. */
  claims: Edge[]
  links: Edge[]
}

export function walkRegion(view: View, seeds: Iterable<Vertex>): Region {
  const walk = new Walk(view)
  for (const seed of seeds) walk.reach(seed)
  return walk.finish()
}

class Walk {
  readonly #view: View
  readonly #vertices = new Set<Vertex>()
  readonly #ahead: Vertex[] = []
  readonly #decisions = new Set<StandingDecision>()
  readonly #walkedLinks = new Set<Link>()
  readonly #aliases: Edge[] = []
  readonly #claims: Edge[] = []
  readonly #links: Edge[] = []

  constructor(view: View) {
    this.#view = view
  }

  reach(vertex: Vertex): void {
    if (this.#vertices.has(vertex)) return
    this.#vertices.add(vertex)
    this.#ahead.push(vertex)
  }

  finish(): Region {
    for (let vertex = this.#ahead.pop(); vertex !== undefined; vertex = this.#ahead.pop()) this.#visit(vertex)
    const { graph } = this.#view
    const keyOf = (id: NodeId) => graph.node(id).key
    const byKeys = (x: Edge, y: Edge) => compareText(keyOf(x.a), keyOf(y.a)) || compareText(keyOf(x.b), keyOf(y.b))
    return {
      vertices: this.#vertices,
      decisions: [...this.#decisions].sort(newestFirst),
      aliases: this.#aliases.sort((x, y) => byTime(x, y) || byKeys(x, y)),
      claims: this.#claims.sort((x, y) => byStrength(x, y) || byKeys(x, y)),
      links: this.#links.sort((x, y) => byStrength(x, y) || byKeys(x, y)),
    }
  }

  #visit(vertex: Vertex): void {
    if (typeof vertex === 'string') {
      this.#visitPart(vertex)
      return
    }
    const node = this.#view.graph.node(vertex)
    this.#followDecisions(vertex)
    if (node.rule.class === 'login') this.#visitLogin(vertex)
    else if (node.rule.class === 'contact') this.#visitContact(vertex)
    else this.#visitDevice(vertex)
  }

  #visitLogin(login: NodeId): void {
    const { graph } = this.#view
    for (const id of graph.evidence(login).claimed) {
      const node = graph.node(id)
      const isExplicit = this.#view.isExplicit(id)
      if (isExplicit) {
        if (isSeen(node)) this.reach(node.rule.class === 'device' ? subNode(id, login) : id)
      } else if (node.rule.class === 'device' || this.#view.contactAnchor(node) === login) {
        this.#followLinks(id, login)
      }
    }
    for (const alias of graph.evidence(login).aliases.values()) {
      if (!isSeen(graph.node(alias.a)) || !isSeen(graph.node(alias.b))) continue
      // Both ends walk it; one of them puts it down.
      if (alias.a === login) this.#aliases.push({ ...alias, u: alias.a, v: alias.b })
      this.reach(alias.a)
      this.reach(alias.b)
    }
  }

  #visitContact(contact: NodeId): void {
    this.#followLinks(contact, contact)
    if (!this.#view.isExplicit(contact)) return
    for (const claim of this.#view.graph.evidence(contact).claimers.values()) {
      this.#claims.push({ ...claim, u: contact, v: claim.by, a: contact, b: claim.by })
      this.reach(claim.by)
    }
  }

  #visitDevice(device: NodeId): void {
    this.#followLinks(device, device)
    for (const part of this.#view.ownVertices(device)) this.reach(part)
  }

  #visitPart(part: SubNode): void {
    const [device = 0, by = 0] = part.split('/').map(Number)
    this.#followDecisions(device)
    this.#followLinks(device, part)
    const claim = this.#view.firstClaims(device).find(first => first.by === by)
    if (!claim) return
    // Beside a contact that a login names, a device that it uses comes second, however the event was called.
    const strength = claim.strength === strengths.operator ? strengths.operator : strengths.observed
    this.#claims.push({ ...claim, strength, u: part, v: by, a: device, b: by, fallback: device })
    this.reach(by)
    this.reach(device)
  }

  /** Links of a node that end at this vertex, which it stands for at the time of the link. */
  #followLinks(id: NodeId, vertex: Vertex): void {
    for (const rows of this.#view.graph.evidence(id).links.values()) {
      for (const link of rows) {
        const u = this.#view.anchor(link.a, link.at)
        const v = this.#view.anchor(link.b, link.at)
        if (u === v || (u !== vertex && v !== vertex) || !this.#view.joins(link)) continue
        if (!this.#walkedLinks.has(link)) this.#links.push({ ...link, u, v })
        this.#walkedLinks.add(link)
        this.reach(u)
        this.reach(v)
      }
    }
  }

  /** A decision couples all nodes that it names. */
  #followDecisions(id: NodeId): void {
    for (const decision of this.#view.graph.decisions.naming(id)) {
      if (this.#decisions.has(decision)) continue
      this.#decisions.add(decision)
      for (const named of nodesOf(decision)) for (const vertex of this.#view.ownVertices(named)) this.reach(vertex)
      if (decision.kind === 'merge') this.#followMerge(decision)
    }
  }

  #followMerge(merge: StandingDecision & { kind: 'merge' }): void {
    const effect = effectOf(this.#view.graph, merge)
    if (effect?.kind !== 'link') return
    const { a, b } = effect
    const u = this.#view.anchor(a, effect.aAt)
    const v = this.#view.anchor(b, effect.bAt)
    if (u === v) return
    const strength = strengths.operator
    this.#links.push({ kind: 'merge', u, v, a, b, at: effect.aAt, messageId: merge.id, source: 'operator', strength })
    this.reach(u)
    this.reach(v)
  }
}
