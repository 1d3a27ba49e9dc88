import type { Identifier, IdentityRules } from '../spec/identifier.ts'
import { nodeOf } from './anchor.ts'
import type { Refusal } from './components.ts'
import { type NodeId, type NodeRecord, nobody } from './evidence.ts'
import { EvidenceGraph } from './graph.ts'
import { profileLedTo } from './publish.ts'
import { type BatchOutcome, type IdentityInput, resolveBatch } from './resolve-batch.ts'
import type { HistoryEvent, LoadRequest } from './step.ts'

/**
 * Identity without a database: in, all events and decisions of a workspace; out, the graph with every node's profile.
 * It is the same code that runs from day to day, fed from the beginning, and so it is what a rebuild and the dry run
 * of changed rules use.
 */
export class IdentityInMemory {
  readonly graph: EvidenceGraph
  readonly refusals = new RefusalBook()
  readonly #history: (device: NodeId) => HistoryEvent[]
  #lastId: NodeId = nobody

  /**
   * `history` gives the past events of a device. Without it, feed all events twice: the first pass finds the devices
   * that several logins share, the second brings all of their events.
   */
  constructor(rules: IdentityRules, history: (device: NodeId) => HistoryEvent[] = () => []) {
    this.graph = new EvidenceGraph(rules)
    this.#history = history
  }

  resolve(batch: IdentityInput[]): BatchOutcome {
    const steps = resolveBatch(this.graph, batch)
    let step = steps.next()
    for (; !step.done; step = steps.next()) this.#answer(step.value)
    this.refusals.replace(step.value.refusals)
    return step.value
  }

  #answer(request: LoadRequest): void {
    if (request.kind === 'load') throw new Error('identity: nothing is ever forgotten in memory')
    if (request.kind === 'history') request.answer(this.#history(request.device))
    else request.answer(request.identifiers.map(identifier => ({ record: this.#newNode(identifier), isNew: true })))
  }

  #newNode({ namespace, value }: Identifier): NodeRecord {
    this.#lastId += 1
    const id = this.#lastId
    return { id, namespace, value, firstSeenAt: Number.POSITIVE_INFINITY, profile: id }
  }

  /** The profile that a node leads to. */
  profileOf(identifier: Identifier): string | undefined {
    const node = this.graph.find(identifier)
    return node && this.graph.node(profileLedTo(this.graph, node.id)).key
  }
}

/** Refusals that stand: each batch replaces those of the nodes that it solved anew. */
export class RefusalBook {
  readonly #byNode = new Map<NodeId, Set<Refusal>>()

  replace({ nodes, rows }: BatchOutcome['refusals']): void {
    for (const node of nodes) {
      for (const refusal of this.#byNode.get(node) ?? []) {
        for (const end of endsOf(refusal)) this.#byNode.get(end)?.delete(refusal)
      }
    }
    for (const refusal of rows) {
      for (const end of endsOf(refusal)) {
        const standing = this.#byNode.get(end) ?? new Set()
        this.#byNode.set(end, standing.add(refusal))
      }
    }
  }

  all(): Set<Refusal> {
    return new Set(this.#byNode.values().flatMap(standing => standing.values()))
  }
}

const endsOf = (refusal: Refusal): [NodeId, NodeId] => [nodeOf(refusal.u), nodeOf(refusal.v)]
