/**
 * Mapped rows in; what is sent to the log at once out, with what it takes to count those rows when it is durable. A row
 * is taken whole or not at all: when the log would refuse one of its events, none of them is sent.
 */
import { type Call, fillSubmission, type Receiving, type Submission } from '../events/index.ts'
import type { Counts } from './import.ts'
import type { MappedRow } from './map-row.ts'
import type { RejectsWriter, Why } from './rejects.ts'
import type { Row } from './row.ts'

/** The log takes 2,500 events at once, and a row makes at most 11. */
const BATCH_EVENTS = 1_000
const BATCH_ROWS = 2_000
const BATCH_CHARS = 2 * 1024 * 1024

export interface SealedBatch {
  submission: Submission
  rows: number
  rejected: number
  rejectedByReason: Record<string, number>
  /** Lines for the file of rejected rows. */
  rejects: string
}

export interface Batch {
  add(row: Row, mapped: MappedRow): void
  isFull(): boolean
  isEmpty(): boolean
  seal(receiving: Receiving): SealedBatch
}

/** `timestamp` is the time of events whose rows name none: the same for the whole import, however often it is interrupted. */
export function openBatch(writer: RejectsWriter, timestamp: string): Batch {
  const items: { row: Row; call: Call }[] = []
  const rejectedByReason: Record<string, number> = {}
  const lines: string[] = []
  let rows = 0
  let chars = 0

  const refuse = (row: Row, why: Why) => {
    rejectedByReason[why.reason] = (rejectedByReason[why.reason] ?? 0) + 1
    lines.push(writer.line(row, why))
  }

  return {
    add(row, mapped) {
      rows += 1
      chars += row.raw.length
      if (mapped.reject) refuse(row, mapped.reject)
      else
        for (const event of mapped.events) {
          const value = event.timestamp === undefined ? { ...event, timestamp } : event
          items.push({ row, call: { value, mayBeNobodys: true, isClockTrusted: true } })
        }
    },
    isFull: () => items.length >= BATCH_EVENTS || rows >= BATCH_ROWS || chars >= BATCH_CHARS,
    isEmpty: () => rows === 0,
    seal(receiving) {
      const filled = fill(items, receiving)
      for (const [row, why] of filled.refused) refuse(row, why)
      const { submission } = filled
      submission.isRememberedForEver = true
      if (lines.length > 0) submission.countedRejections = [{ reason: 'invalid_row', events: lines.length }]
      return { submission, rows, rejected: lines.length, rejectedByReason, rejects: lines.join('') }
    },
  }
}

function fill(items: { row: Row; call: Call }[], receiving: Receiving) {
  const deliver = (some: typeof items) =>
    fillSubmission({ calls: some.map(({ call }) => call), isBatch: true }, receiving)
  const { submission, refused } = deliver(items)
  const bad = new Map<Row, Why>()
  for (const { index, reason, detail } of refused) {
    const row = items[index]?.row
    if (row && !bad.has(row)) bad.set(row, { reason, detail })
  }
  if (bad.size === 0) return { submission, refused: bad }
  return { submission: deliver(items.filter(({ row }) => !bad.has(row))).submission, refused: bad }
}

/** Adds a batch that is durable to what was counted before. */
export function countBatch(
  counts: Counts,
  batch: SealedBatch,
  accepted: { stored: number; deduplicated: number },
): void {
  counts.rows += batch.rows
  counts.events += batch.submission.events.length
  counts.stored += accepted.stored
  counts.deduplicated += accepted.deduplicated
  counts.rejected += batch.rejected
  for (const [reason, rows] of Object.entries(batch.rejectedByReason)) {
    counts.rejectedByReason[reason] = (counts.rejectedByReason[reason] ?? 0) + rows
  }
}
