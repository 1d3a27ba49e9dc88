/**
 * The evidence held in memory: in, rows of the store and evidence of new events; out, all that is known about a node.
 * A node is *listed* (its record is here) or *filled* (its evidence too). Whoever reads something that is not here gets
 * an empty answer, and `takeMissing` then says what to load before the reading is done again. So identity is written
 * as if everything were in memory, and the graph may forget any node between batches.
 */
import { type Identifier, type IdentityRules, identifierKey, type NamespaceRule } from '../spec/identifier.ts'
import { DecisionBook, nodesOf } from './decision-book.ts'
import {
  type Alias,
  byStrength,
  byTime,
  type Claim,
  type Evidence,
  type Link,
  type NodeId,
  type NodeRecord,
  nobody,
  orderOfClaims,
} from './evidence.ts'
import { hasEqual, insertSorted } from './sorted.ts'

/** A span in which a device that several people share belongs to one of them: [from, to), ms. */
export interface OwnerInterval {
  from: number
  to: number
  profile: NodeId
}

export interface NodeEvidence {
  /** Claims on this node in the order of its namespace; one per login unless `isFull`. */
  claims: Claim[]
  /** The first claim of each login. */
  claimers: ReadonlyMap<NodeId, Claim>
  /** What this node, a login, has claimed. */
  claimed: ReadonlySet<NodeId>
  /** By the other end; one per pair unless one end `isFull`. */
  links: ReadonlyMap<NodeId, Link[]>
  /** By the other end; one per pair. */
  aliases: ReadonlyMap<NodeId, Alias>
  /** As published: the owners of a device whose record says `nobody`. */
  owners: OwnerInterval[]
  /** A contested device (two or more claimers): each of its events is evidence, for its owner changes with time. */
  isFull: boolean
}

export interface GraphNode extends NodeRecord {
  key: string
  rule: NamespaceRule
  evidence?: NodeEvidence
  /** It was read since the graph last forgot something. */
  isRecent: boolean
}

/** Rows about some nodes, as the store keeps them. */
export interface EvidenceRows {
  /** Records of these nodes and of every node that the other rows name. */
  nodes: NodeRecord[]
  claims: Claim[]
  links: Link[]
  aliases: Alias[]
  owners: (OwnerInterval & { node: NodeId })[]
}

/** Which rows an insertion adds to the store and which it makes superfluous. */
export interface RowChanges {
  added: Set<Evidence>
  removed: Set<Evidence>
}

export const isSeen = (node: NodeRecord): boolean => node.firstSeenAt !== Number.POSITIVE_INFINITY

/** A namespace that the rules no longer know joins nobody. */
const unknownNamespace = { class: 'none', priority: 1_000_000 } as NamespaceRule
const absentNode: GraphNode = {
  ...{ id: nobody, namespace: '', value: '', key: '', rule: unknownNamespace },
  ...{ firstSeenAt: Number.POSITIVE_INFINITY, profile: nobody, isRecent: false },
}
/** Most nodes have little of anything: they share what is empty until they need their own (half of a node's bytes). */
const noMap: ReadonlyMap<NodeId, never> = new Map<NodeId, never>()
const noSet: ReadonlySet<NodeId> = new Set<NodeId>()
const emptyEvidence = (): NodeEvidence => ({
  ...{ claims: [], claimers: noMap, claimed: noSet, links: noMap, aliases: noMap, owners: [], isFull: false },
})
const absentEvidence = emptyEvidence()

export class EvidenceGraph {
  readonly rules: IdentityRules
  readonly decisions = new DecisionBook()
  readonly #nodes = new Map<NodeId, GraphNode>()
  /** By namespace and value: putting a key together for each look-up would cost more than the look-up. */
  readonly #byValue = new Map<string, Map<string, GraphNode>>()
  #missing = new Set<NodeId>()

  constructor(rules: IdentityRules) {
    this.rules = rules
  }

  get size(): number {
    return this.#nodes.size
  }

  nodes(): IteratorObject<GraphNode> {
    return this.#nodes.values()
  }

  ruleOf(namespace: string): NamespaceRule {
    return this.rules.namespaces[namespace] ?? unknownNamespace
  }

  /** The listed node of this identifier. */
  find({ namespace, value }: Identifier): GraphNode | undefined {
    const node = this.#byValue.get(namespace)?.get(value)
    if (node) node.isRecent = true
    return node
  }

  isListed(id: NodeId): boolean {
    return this.#nodes.has(id)
  }

  node(id: NodeId): GraphNode {
    const node = this.#nodes.get(id)
    if (!node) {
      this.#missing.add(id)
      return absentNode
    }
    node.isRecent = true
    return node
  }

  evidence(id: NodeId): NodeEvidence {
    return this.#evidenceOf(this.node(id))
  }

  #evidenceOf(node: GraphNode): NodeEvidence {
    if (node.evidence) return node.evidence
    this.#missing.add(node.id)
    return absentEvidence
  }

  /**
   * What was read since the last call although it is not here, and with it what decisions name in the same breath:
   * whether a merge claims a device depends on the class of its other end.
   */
  takeMissing(): NodeId[] {
    const missing = this.#missing
    this.#missing = new Set()
    missing.delete(nobody)
    for (const id of [...missing]) {
      for (const named of this.decisions.naming(id).flatMap(nodesOf)) if (!this.isListed(named)) missing.add(named)
    }
    return [...missing]
  }

  /** Lists a node; one that no store knows yet is filled at once, for there is nothing to load. */
  list(record: NodeRecord, isNew: boolean): GraphNode {
    const listed = this.#nodes.get(record.id)
    if (listed) return listed
    const { id, namespace, value, firstSeenAt, profile } = record
    const key = identifierKey(record)
    const rule = this.ruleOf(namespace)
    const node: GraphNode = { id, namespace, value, key, rule, firstSeenAt, profile, isRecent: true }
    if (isNew) node.evidence = emptyEvidence()
    this.#nodes.set(id, node)
    const known = this.#byValue.get(namespace) ?? new Map<string, GraphNode>()
    this.#byValue.set(namespace, known.set(value, node))
    return node
  }

  /** Fills these nodes with what the store has about them. */
  fill(ids: NodeId[], rows: EvidenceRows): void {
    for (const record of rows.nodes) this.list(record, false)
    const filling = new Map<NodeId, NodeEvidence>()
    for (const id of ids) {
      const node = this.#nodes.get(id)
      if (node && !node.evidence) filling.set(id, emptyEvidence())
    }
    for (const claim of rows.claims) {
      filling.get(claim.node)?.claims.push(claim)
      addClaimed(filling.get(claim.by), claim.node)
    }
    for (const link of rows.links) {
      rowsOfPair(filling.get(link.a), link.b)?.push(link)
      rowsOfPair(filling.get(link.b), link.a)?.push(link)
    }
    for (const alias of rows.aliases) {
      addAlias(filling.get(alias.a), alias.b, alias)
      addAlias(filling.get(alias.b), alias.a, alias)
    }
    for (const { node, from, to, profile } of rows.owners) filling.get(node)?.owners.push({ from, to, profile })
    for (const [id, evidence] of filling) this.#settle(this.node(id), evidence)
  }

  /** Puts loaded rows in order and hangs them on their node. */
  #settle(node: GraphNode, evidence: NodeEvidence): void {
    evidence.claims.sort(orderOfClaims(node.rule))
    for (const claim of evidence.claims) {
      if (!evidence.claimers.has(claim.by)) evidence.claimers = put(evidence.claimers, claim.by, claim)
    }
    for (const links of evidence.links.values()) links.sort(byStrength)
    evidence.owners.sort((x, y) => x.from - y.from)
    evidence.isFull = node.rule.class === 'device' && this.claimersOf(node.id, evidence).size > 1
    node.evidence = evidence
  }

  /** All who claim a device, operators' merges included. */
  claimersOf(device: NodeId, evidence = this.evidence(device)): Set<NodeId> {
    const claimers = new Set(evidence.claimers.keys())
    for (const decision of this.decisions.naming(device)) {
      if (decision.kind !== 'merge') continue
      const other = decision.node === device ? decision.with : decision.node
      if (this.node(other).rule.class !== 'device') claimers.add(other)
    }
    return claimers
  }

  /** True when this evidence would change nothing, which is how most events end. */
  has(evidence: Evidence): boolean {
    if (evidence.kind === 'claim') return this.#hasClaim(evidence)
    if (evidence.kind === 'link') return this.#hasLink(evidence)
    const known = this.evidence(evidence.a).aliases.get(evidence.b)
    return known !== undefined && byTime(known, evidence) <= 0
  }

  #hasClaim(claim: Claim): boolean {
    const node = this.node(claim.node)
    const { claimers, claims, isFull } = this.#evidenceOf(node)
    const first = claimers.get(claim.by)
    if (!first) return false
    const order = orderOfClaims(node.rule)
    return isFull ? hasEqual(claims, claim, order) : order(first, claim) <= 0
  }

  #hasLink(link: Link): boolean {
    const a = this.evidence(link.a)
    const b = this.evidence(link.b)
    const rows = a.links.get(link.b)
    const first = rows?.[0]
    if (!rows || !first) return false
    return a.isFull || b.isFull ? hasEqual(rows, link, byStrength) : byStrength(first, link) <= 0
  }

  /** Adds evidence whose ends are filled, and notes what that changes in the store. */
  insert(evidence: Evidence, changes: RowChanges): void {
    if (this.has(evidence)) return
    const superseded = this.#place(evidence)
    changes.added.add(evidence)
    if (superseded && !changes.added.delete(superseded)) changes.removed.add(superseded)
  }

  #place(evidence: Evidence): Evidence | undefined {
    if (evidence.kind === 'claim') return this.#placeClaim(evidence)
    if (evidence.kind === 'link') return this.#placeLink(evidence)
    const superseded = this.evidence(evidence.a).aliases.get(evidence.b)
    addAlias(this.#nodes.get(evidence.a)?.evidence, evidence.b, evidence)
    addAlias(this.#nodes.get(evidence.b)?.evidence, evidence.a, evidence)
    return superseded
  }

  #placeClaim(claim: Claim): Claim | undefined {
    const order = orderOfClaims(this.node(claim.node).rule)
    const evidence = this.evidence(claim.node)
    const { claims, claimers, isFull } = evidence
    const first = claimers.get(claim.by)
    if (first && !isFull) claims.splice(claims.indexOf(first), 1)
    insertSorted(claims, claim, order)
    if (!first || order(claim, first) < 0) evidence.claimers = put(claimers, claim.by, claim)
    addClaimed(this.#nodes.get(claim.by)?.evidence, claim.node)
    return isFull ? undefined : first
  }

  #placeLink(link: Link): Link | undefined {
    const a = this.evidence(link.a)
    const b = this.evidence(link.b)
    const isFull = a.isFull || b.isFull
    const first = a.links.get(link.b)?.[0]
    for (const rows of [rowsOfPair(a, link.b), rowsOfPair(b, link.a)]) {
      if (!isFull) rows.length = 0
      insertSorted(rows, link, byStrength)
    }
    return isFull ? undefined : first
  }

  /** Where more than `nodesMax` are held: forgets the nodes that were not read since it last did. Only between batches. */
  forgetOldest(nodesMax: number): void {
    if (this.#nodes.size <= nodesMax) return
    for (const node of this.#nodes.values()) {
      if (!node.isRecent) {
        this.#nodes.delete(node.id)
        this.#byValue.get(node.namespace)?.delete(node.value)
      }
      node.isRecent = false
    }
  }
}

function put<Value>(map: ReadonlyMap<NodeId, Value>, key: NodeId, value: Value): Map<NodeId, Value> {
  const own = map === noMap ? new Map<NodeId, Value>() : (map as Map<NodeId, Value>)
  return own.set(key, value)
}

function addClaimed(login: NodeEvidence | undefined, node: NodeId): void {
  if (login) login.claimed = login.claimed === noSet ? new Set([node]) : (login.claimed as Set<NodeId>).add(node)
}

function addAlias(evidence: NodeEvidence | undefined, other: NodeId, alias: Alias): void {
  if (evidence) evidence.aliases = put(evidence.aliases, other, alias)
}

function rowsOfPair(evidence: NodeEvidence, partner: NodeId): Link[]
function rowsOfPair(evidence: NodeEvidence | undefined, partner: NodeId): Link[] | undefined
function rowsOfPair(evidence: NodeEvidence | undefined, partner: NodeId): Link[] | undefined {
  if (!evidence) return undefined
  let rows = evidence.links.get(partner)
  if (!rows) {
    rows = []
    evidence.links = put(evidence.links, partner, rows)
  }
  return rows
}
