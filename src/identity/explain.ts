/**
 * Why these identifiers are one person: in, the evidence around them; out, each link with the event that showed it, and
 * each link that was refused, with the rule that refused it.
 */
import type { Identifier } from '../spec/identifier.ts'
import { nodeOf, type Vertex, View } from './anchor.ts'
import type { RefusalRule } from './components.ts'
import type { Claim, Evidence, NodeId, Strength } from './evidence.ts'
import { type EvidenceGraph, isSeen } from './graph.ts'
import { profileAt } from './publish.ts'

/** `unique`, `limit`, `split` as when components are solved · `holder`: another login claimed it first · `crowd`: the
 * device is shared by too many to tell · `other_time`: the device was somebody else's then. */
export type ExplainedRule = RefusalRule | 'holder' | 'crowd' | 'other_time'

export interface ExplainedLink {
  kind: Evidence['kind'] | 'merge'
  /** A claim reads: `a` was seen beside the login `b`. */
  a: Identifier
  b: Identifier
  source: string
  messageId: string
  /** Event time, ms. */
  at: number
  strength: Strength
}

export interface ExplainedRefusal extends ExplainedLink {
  rule: ExplainedRule
  /** The namespace whose limit it was. */
  namespace?: string
}

/** A refusal as it is stored. */
export interface StoredRefusal extends Omit<ExplainedRefusal, 'a' | 'b' | 'rule'> {
  u: NodeId
  v: NodeId
  a: NodeId
  b: NodeId
  rule: RefusalRule
}

export interface Explanation {
  links: ExplainedLink[]
  refusals: ExplainedRefusal[]
  /** There is more of it than is shown. */
  isCut: boolean
}

/** Of each of the two lists. */
export const explainedMax = 500

/** Reads the graph around the members of a profile. Of each pair of identifiers the first evidence is shown. */
export function explain(
  graph: EvidenceGraph,
  profile: NodeId,
  members: NodeId[],
  stored: StoredRefusal[],
): Explanation {
  const reader = new Explainer(graph, profile, stored)
  for (const member of members) {
    const { claimers, claimed, links, aliases } = graph.evidence(member)
    for (const claim of claimers.values()) reader.addClaim(claim)
    for (const node of claimed) {
      const claim = graph.evidence(node).claimers.get(member)
      if (claim) reader.addClaim(claim)
    }
    for (const link of [...links.values()].flat()) reader.addLink(link)
    for (const alias of aliases.values()) reader.addAlias(alias)
  }
  return reader.finish()
}

class Explainer {
  readonly #view: View
  readonly #profile: NodeId
  readonly #stored: StoredRefusal[]
  readonly #links = new Map<string, ExplainedLink>()
  readonly #refusals = new Map<string, ExplainedRefusal>()

  constructor(graph: EvidenceGraph, profile: NodeId, stored: StoredRefusal[]) {
    this.#view = new View(graph)
    this.#profile = profile
    this.#stored = stored
  }

  addClaim(claim: Claim): void {
    const { graph } = this.#view
    const node = graph.node(claim.node)
    if (!isSeen(node)) return
    const at = node.rule.class === 'device' ? claim.at : 0
    const isHere = profileAt(graph, claim.node, at) === this.#profile
    const isByHere = profileAt(graph, claim.by, claim.at) === this.#profile
    if (isHere && isByHere) this.#join(claim, claim.node, claim.by)
    else if (this.#view.isExplicit(claim.node))
      this.#refuse(claim, claim.node, claim.by, this.#storedRule(claim.node, claim.by))
    else if (node.rule.class === 'device') this.#refuse(claim, claim.node, claim.by, { rule: 'other_time' })
    else if (this.#view.choice(claim.node)?.by !== claim.by)
      this.#refuse(claim, claim.node, claim.by, { rule: 'holder' })
    else this.#refuse(claim, claim.node, claim.by, { rule: 'limit', namespace: node.namespace })
  }

  addLink(link: Evidence & { kind: 'link' }): void {
    const { graph } = this.#view
    const ends = [link.a, link.b].map(node => profileAt(graph, node, link.at))
    if (!ends.includes(this.#profile)) return
    if (!this.#view.joins(link)) this.#refuse(link, link.a, link.b, { rule: 'crowd' })
    else if (ends[0] === ends[1]) this.#join(link, link.a, link.b)
    else {
      const [u, v] = [this.#view.anchor(link.a, link.at), this.#view.anchor(link.b, link.at)]
      this.#refuse(link, link.a, link.b, this.#storedRule(u, v))
    }
  }

  addAlias(alias: Evidence & { kind: 'alias' }): void {
    const { graph } = this.#view
    if (!isSeen(graph.node(alias.a)) || !isSeen(graph.node(alias.b))) return
    const isUnited = graph.node(alias.a).profile === graph.node(alias.b).profile
    if (isUnited) this.#join(alias, alias.a, alias.b)
    else this.#refuse(alias, alias.a, alias.b, { rule: 'split' })
  }

  finish(): Explanation {
    const { graph } = this.#view
    for (const { u: _u, v: _v, a, b, ...merge } of this.#stored) {
      if (merge.kind !== 'merge') continue
      this.#refusals.set(merge.messageId, { ...merge, a: plain(graph, a), b: plain(graph, b) })
    }
    const inOrder = <Shown extends ExplainedLink>(all: Map<string, Shown>) =>
      [...all.values()].sort((x, y) => x.at - y.at || (x.messageId < y.messageId ? -1 : 1))
    const links = inOrder(this.#links)
    const refusals = inOrder(this.#refusals)
    const isCut = links.length > explainedMax || refusals.length > explainedMax
    return { links: links.slice(0, explainedMax), refusals: refusals.slice(0, explainedMax), isCut }
  }

  /** The rule that refused a union. Of many refused links between the same two only the first is stored. */
  #storedRule(u: Vertex, v: Vertex): { rule: RefusalRule; namespace?: string } {
    const [x, y] = [nodeOf(u), nodeOf(v)]
    const stored = this.#stored.find(one => (one.u === x && one.v === y) || (one.u === y && one.v === x))
    return stored?.namespace ? { rule: stored.rule, namespace: stored.namespace } : { rule: stored?.rule ?? 'unique' }
  }

  #join(evidence: Evidence, a: NodeId, b: NodeId): void {
    const known = this.#links.get(`${a} ${b}`)
    if (!known || evidence.at < known.at) this.#links.set(`${a} ${b}`, this.#shown(evidence, a, b))
  }

  #refuse(evidence: Evidence, a: NodeId, b: NodeId, why: { rule: ExplainedRule; namespace?: string }): void {
    const key = `${a} ${b} ${why.rule}`
    const known = this.#refusals.get(key)
    if (!known || evidence.at < known.at) this.#refusals.set(key, { ...this.#shown(evidence, a, b), ...why })
  }

  #shown({ kind, source, messageId, at, strength }: Evidence, a: NodeId, b: NodeId): ExplainedLink {
    const { graph } = this.#view
    return { kind, a: plain(graph, a), b: plain(graph, b), source, messageId, at, strength }
  }
}

function plain(graph: EvidenceGraph, id: NodeId): Identifier {
  const { namespace, value } = graph.node(id)
  return { namespace, value }
}
