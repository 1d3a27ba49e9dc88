/** The store of identity as a few arrays, to test what is loaded and written without a database. */
import { nodeOf } from '../src/identity/anchor.ts'
import type { Refusal } from '../src/identity/components.ts'
import type { Decision } from '../src/identity/decision.ts'
import type { StandingDecision } from '../src/identity/decision-book.ts'
import type { Alias, Claim, Link, NodeId, NodeRecord } from '../src/identity/evidence.ts'
import { EvidenceGraph, type EvidenceRows, type OwnerInterval } from '../src/identity/graph.ts'
import { type BatchOutcome, type IdentityInput, resolveBatch } from '../src/identity/resolve-batch.ts'
import type { HistoryEvent, LoadRequest } from '../src/identity/step.ts'
import type { Identifier, IdentityRules } from '../src/spec/identifier.ts'

/**
 * A store that keeps rows as PostgreSQL would, and returns only what it is asked for, as copies. With `forgetful` the
 * graph is emptied before every batch, so that everything must be loaded again.
 */
export class SimulatedStore {
  readonly #nodes = new Map<NodeId, NodeRecord>()
  readonly #ids = new Map<string, NodeId>()
  #claims: Claim[] = []
  #links: Link[] = []
  #aliases: Alias[] = []
  #owners: (OwnerInterval & { node: NodeId })[] = []
  #refusals: Refusal[] = []
  #events: (HistoryEvent & { every: NodeId[] })[] = []
  #standing: StandingDecision[] = []
  #undone: string[] = []
  loads = 0
  histories = 0
  #lastId: number

  /** Ids begin anywhere: nothing may depend on them. */
  constructor(firstId = 0) {
    this.#lastId = firstId
  }

  resolve(graph: EvidenceGraph, batch: IdentityInput[]): BatchOutcome {
    const steps = resolveBatch(graph, batch)
    let step = steps.next()
    for (; !step.done; step = steps.next()) this.#answer(step.value)
    this.#write(step.value, batch)
    return step.value
  }

  #answer(request: LoadRequest): void {
    if (request.kind === 'find') request.answer(request.identifiers.map(identifier => this.#find(identifier)))
    else if (request.kind === 'load') {
      this.loads += 1
      request.answer(this.#load(new Set(request.nodes)))
    } else {
      this.histories += 1
      const hubs = new Set([...request.partners, request.device])
      request.answer(this.#events.filter(event => hubs.has(event.hub) && event.every.includes(request.device)))
    }
  }

  #find({ namespace, value }: Identifier): { record: NodeRecord; isNew: boolean } {
    const known = this.#ids.get(`${namespace}:${value}`)
    if (known !== undefined) return { record: { ...(this.#nodes.get(known) as NodeRecord) }, isNew: false }
    this.#lastId += 7
    const node = this.#lastId
    this.#ids.set(`${namespace}:${value}`, node)
    return { record: { id: node, namespace, value, firstSeenAt: Number.POSITIVE_INFINITY, profile: node }, isNew: true }
  }

  #load(nodes: Set<NodeId>): EvidenceRows {
    const claims = this.#claims.filter(claim => nodes.has(claim.node) || nodes.has(claim.by))
    const links = this.#links.filter(link => nodes.has(link.a) || nodes.has(link.b))
    const aliases = this.#aliases.filter(alias => nodes.has(alias.a) || nodes.has(alias.b))
    const named = [...nodes, ...claims.flatMap(claim => [claim.node, claim.by])]
    named.push(...[...links, ...aliases].flatMap(pair => [pair.a, pair.b]))
    return structuredClone({
      nodes: [...new Set(named)].flatMap(node => this.#nodes.get(node) ?? []),
      ...{ claims, links, aliases },
      owners: this.#owners.filter(owner => nodes.has(owner.node)),
    })
  }

  #write(outcome: BatchOutcome, batch: IdentityInput[]): void {
    const { rows, refusals } = outcome
    for (const node of [...outcome.newNodes, ...outcome.seenEarlier]) {
      const { id: nodeId, namespace, value, firstSeenAt, profile } = node
      this.#nodes.set(nodeId, { id: nodeId, namespace, value, firstSeenAt, profile })
    }
    const kept = [...this.#claims, ...this.#links, ...this.#aliases].filter(
      row => !rows.removed.values().some(gone => isSameRow(gone, row)),
    )
    const all = [...kept, ...structuredClone([...rows.added])]
    this.#claims = all.filter(row => row.kind === 'claim')
    this.#links = all.filter(row => row.kind === 'link')
    this.#aliases = all.filter(row => row.kind === 'alias')
    for (const { node, after } of outcome.changes) {
      this.#nodes.set(node, { ...(this.#nodes.get(node) as NodeRecord), profile: after.profile })
      this.#owners = this.#owners.filter(owner => owner.node !== node)
      this.#owners.push(...after.owners.map(owner => ({ node, ...owner })))
    }
    const solved = new Set(refusals.nodes)
    this.#refusals = this.#refusals.filter(({ u, v }) => !solved.has(nodeOf(u)) && !solved.has(nodeOf(v)))
    this.#refusals.push(...structuredClone(refusals.rows))
    for (const decision of outcome.decisions) this.#writeDecision(decision)
    for (const [index, input] of batch.entries()) this.#writeEvent(input, outcome.events[index])
  }

  #writeEvent(input: IdentityInput, resolved: BatchOutcome['events'][number] | undefined): void {
    if ('kind' in input || !resolved) return
    if (this.#events.some(event => event.messageId === input.messageId)) return
    const { messageId, at, type, source } = input
    const { hub, nodes } = resolved
    this.#events.push({ messageId, at, type, source, hub, nodes, every: [hub, ...nodes] })
  }

  #writeDecision(decision: Decision): void {
    if (decision.kind === 'undo') {
      this.#undone.push(decision.decision)
      return
    }
    const idsOf = (named: Identifier[]) => named.map(one => this.#ids.get(`${one.namespace}:${one.value}`) ?? 0)
    const { id: decisionId, at } = decision
    if (decision.kind === 'split') {
      this.#standing.push({ kind: 'split', id: decisionId, at, out: idsOf(decision.out), rest: idsOf(decision.rest) })
      return
    }
    const { nodeSeenAt, withSeenAt } = decision
    const [node = 0, other = 0] = idsOf([decision.node, decision.with])
    this.#standing.push({ kind: 'merge', id: decisionId, at, node, nodeSeenAt, with: other, withSeenAt })
  }

  /** A graph that knows of nothing but the decisions, as a process has it that begins. */
  open(rules: IdentityRules): EvidenceGraph {
    const graph = new EvidenceGraph(rules)
    for (const decision of this.#standing) graph.decisions.put(decision)
    for (const undone of this.#undone) graph.decisions.undo(undone)
    return graph
  }

  /** A graph that holds all rows, to read the result from. */
  whole(rules: IdentityRules): EvidenceGraph {
    const graph = this.open(rules)
    graph.fill([...this.#nodes.keys()], this.#load(new Set(this.#nodes.keys())))
    return graph
  }

  get rows(): (Claim | Link | Alias)[] {
    return [...this.#claims, ...this.#links, ...this.#aliases]
  }

  get refusals(): Refusal[] {
    return this.#refusals
  }
}

const isSameRow = (x: Claim | Link | Alias, y: Claim | Link | Alias): boolean =>
  x.kind === y.kind && x.at === y.at && x.messageId === y.messageId && isSamePair(x, y)

const isSamePair = (x: Claim | Link | Alias, y: Claim | Link | Alias): boolean => {
  if (x.kind === 'claim') return y.kind === 'claim' && x.node === y.node && x.by === y.by
  return y.kind !== 'claim' && x.a === y.a && x.b === y.b
}
