/**
 * How pure code reads a database: in, a reading of the graph; out, requests for what the graph lacks, and in the end the
 * result. A reading is simply done again until nothing is missing, usually two or three times: so rules and walks are
 * written as if everything were in memory, and each round costs the shell a few set-based queries.
 */
import type { Identifier } from '../spec/identifier.ts'
import type { EventHead, NodeId, NodeRecord } from './evidence.ts'
import type { EvidenceGraph, EvidenceRows } from './graph.ts'

/** A past event of a device, by the nodes that it was resolved to. */
export interface HistoryEvent extends EventHead {
  hub: NodeId
  nodes: NodeId[]
}

export interface FoundNode {
  record: NodeRecord
  isNew: boolean
}

/** What the graph lacks. The shell calls `answer` once and then takes the next request. */
export type LoadRequest =
  /** Records of these identifiers; those that no store knows get a new id. */
  | { kind: 'find'; identifiers: Identifier[]; answer(found: FoundNode[]): void }
  /** All evidence about these nodes. */
  | { kind: 'load'; nodes: NodeId[]; answer(rows: EvidenceRows): void }
  /** Every past event that carried this device; each has the device or one of the partners as its hub. */
  | { kind: 'history'; device: NodeId; partners: NodeId[]; answer(events: HistoryEvent[]): void }

export type Step<Result> = Generator<LoadRequest, Result, void>

/** Only stops a bug from asking for ever: a region takes as many rounds as it is deep. */
const roundsMax = 100_000

/** Does a reading again until the graph has all that it reads. */
export function* complete<Result>(graph: EvidenceGraph, read: () => Result): Step<Result> {
  for (let round = 0; round < roundsMax; round += 1) {
    const result = read()
    const missing = graph.takeMissing()
    if (missing.length === 0) return result
    yield { kind: 'load', nodes: missing, answer: rows => graph.fill(missing, rows) }
  }
  throw new Error('identity: the store does not return what it is asked for')
}

/** Runs steps to their end, answering each request as it comes. */
export async function runSteps<Result>(
  steps: Step<Result>,
  answer: (request: LoadRequest) => Promise<void>,
): Promise<Result> {
  let step = steps.next()
  for (; !step.done; step = steps.next()) await answer(step.value)
  return step.value
}
