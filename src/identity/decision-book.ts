/**
 * The decisions that stand: in, merges, splits and undos in any order; out, which of them name a node. All of a
 * workspace's decisions are held: people make them, so there are thousands where there are millions of events.
 */
import { compareText, type NodeId } from './evidence.ts'

export interface StandingMerge {
  kind: 'merge'
  id: string
  at: number
  node: NodeId
  nodeSeenAt: number
  with: NodeId
  withSeenAt: number
}

export interface StandingSplit {
  kind: 'split'
  id: string
  at: number
  out: NodeId[]
  rest: NodeId[]
}

export type StandingDecision = StandingMerge | StandingSplit

/** The order in which decisions are obeyed. */
export const newestFirst = (x: StandingDecision, y: StandingDecision): number => y.at - x.at || compareText(y.id, x.id)

export const nodesOf = (decision: StandingDecision): NodeId[] =>
  decision.kind === 'merge' ? [decision.node, decision.with] : [...decision.out, ...decision.rest]

const none: StandingDecision[] = []

export class DecisionBook {
  readonly #byId = new Map<string, StandingDecision>()
  readonly #byNode = new Map<NodeId, StandingDecision[]>()
  /** Undone ids stay, for an undo may be met before what it takes back. */
  readonly #undone = new Set<string>()

  /** Decisions in force that name this node. */
  naming(node: NodeId): StandingDecision[] {
    return this.#byNode.get(node) ?? none
  }

  find(id: string): StandingDecision | undefined {
    return this.#byId.get(id)
  }

  isUndone(id: string): boolean {
    return this.#undone.has(id)
  }

  put(decision: StandingDecision): void {
    if (this.#byId.has(decision.id)) return
    this.#byId.set(decision.id, decision)
    if (!this.#undone.has(decision.id)) this.#enter(decision)
  }

  undo(id: string): void {
    if (this.#undone.has(id)) return
    this.#undone.add(id)
    const decision = this.#byId.get(id)
    if (!decision) return
    for (const node of new Set(nodesOf(decision))) {
      const others = this.naming(node).filter(other => other !== decision)
      if (others.length > 0) this.#byNode.set(node, others)
      else this.#byNode.delete(node)
    }
  }

  #enter(decision: StandingDecision): void {
    for (const node of new Set(nodesOf(decision))) this.#byNode.set(node, [...this.naming(node), decision])
  }
}
