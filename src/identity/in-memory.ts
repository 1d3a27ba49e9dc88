/**
 * Identity without a database: in, all events and decisions of a workspace; out, the graph with every node's profile.
 * It is the same code that runs from day to day, fed from the beginning, and so it is what a rebuild and the dry run
 * of changed rules use.
 */
import type { Identifier, IdentityRules } from '../spec/identifier.ts'
import { nodeOf } from './anchor.ts'
import type { Refusal } from './components.ts'
import { type NodeId, type NodeRecord, nobody } from './evidence.ts'
import { EvidenceGraph } from './graph.ts'
import { type BatchOutcome, type IdentityInput, resolveBatch } from './resolve-batch.ts'
import type { HistoryEvent, LoadRequest } from './step.ts'

export class IdentityInMemory {
  readonly graph: EvidenceGraph
  readonly refusals = new RefusalBook()
  /** How many devices turned out to be shared. */
  contested = 0
  readonly #history: (device: NodeId) => HistoryEvent[]
  #lastId: NodeId = nobody

  /** `history` gives the past events of a device; without it, see `resolveAll`. */
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

  /** Resolves everything that happened; `batches` gives it from the beginning each time it is called. */
  async resolveAll(batches: () => AsyncIterable<IdentityInput[]>): Promise<void> {
    await untilComplete(batches, batch => {
      const before = this.contested
      this.resolve(batch)
      return this.contested > before
    })
  }

  #answer(request: LoadRequest): void {
    if (request.kind === 'load') throw new Error('identity: nothing is ever forgotten in memory')
    if (request.kind === 'find') {
      request.answer(request.identifiers.map(identifier => ({ record: this.#newNode(identifier), isNew: true })))
      return
    }
    this.contested += 1
    request.answer(this.#history(request.device))
  }

  #newNode({ namespace, value }: Identifier): NodeRecord {
    this.#lastId += 1
    const id = this.#lastId
    return { id, namespace, value, firstSeenAt: Number.POSITIVE_INFINITY, profile: id }
  }
}

/**
 * Feeds everything again until a pass finds no more devices that several logins share: what a device's past showed is
 * known in full only once the device is known to be shared. Usually two passes. `resolve` says whether it found one.
 */
export async function untilComplete(
  batches: () => AsyncIterable<IdentityInput[]>,
  resolve: (batch: IdentityInput[]) => boolean | Promise<boolean>,
): Promise<void> {
  for (let isAgain = true; isAgain; ) {
    isAgain = false
    for await (const batch of batches()) if (await resolve(batch)) isAgain = true
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
