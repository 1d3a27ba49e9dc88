/** Submissions of many requests come in; one transaction that holds them all goes to PostgreSQL. */
import { hash } from 'node:crypto'
import type pg from 'pg'
import type { LogEntry } from '../spec/event.ts'
import { REJECTED_PAYLOAD_BYTES_MAX, type Rejection, type RejectionReason } from '../spec/rejection.ts'
import { encodeGroup } from './log-group.ts'
import { type AccountingRow, type CommitRows, insertGroups, insertMessages, type RejectedRow } from './store.ts'

/** What one request carries for one workspace and source. */
export interface Submission {
  workspaceId: number
  source: string
  events: LogEntry[]
  /** The same events as log lines, one each. */
  lines: string[]
  rejections: Rejection[]
  /** Refused, counted, and kept elsewhere: rows of a file go back to whoever imported it, as a file. */
  countedRejections?: { reason: RejectionReason; events: number }[]
  /** Rows of files are remembered for ever, everything else for 30 days. */
  isRememberedForEver?: boolean
  /** Decisions of operators: nobody sent them, so the accounting of what was sent leaves them out. */
  isUncounted?: boolean
}

export interface Acceptance {
  stored: number
  deduplicated: number
  rejected: number
  /** Where the log holds the last of what this commit stored for the workspace; absent when nothing was new. */
  position?: { lane: number; pos: number }
}

/** A group as it was committed: what the pipeline takes over in memory instead of reading it back. */
export interface CommittedGroup {
  workspaceId: number
  lane: number
  pos: number
  events: LogEntry[]
  lines: string[]
}

/** A row of the log; recovery and archive read row by row. */
const GROUP_EVENTS_MAX = 2_000

/** 128 bits of SHA-256 of a messageId, as a uuid text. */
function messageHash(messageId: string): string {
  const hex = hash('sha256', messageId, 'hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

/**
 * Writes submissions in one transaction: first sights into the log, rejections aside, everything counted. Returns what
 * each submission came to, and the groups that the log now holds.
 */
export async function commitSubmissions(
  open: { client: pg.Client; lane: number; pos: number },
  submissions: Submission[],
  now: number,
): Promise<{ acceptances: Acceptance[]; groups: CommittedGroup[] }> {
  const keys = submissions.map(submission =>
    submission.events.map(event => `${submission.workspaceId}/${messageHash(event.messageId)}`),
  )
  await open.client.query('begin')
  const known = await insertMessages(open.client, dedupeRows(submissions, keys, now))
  const { acceptances, perWorkspace } = sortOut(submissions, keys, known)
  const { groups, rows } = await cutGroups(open, perWorkspace)
  const commit: CommitRows = {
    lane: open.lane,
    receivedAt: new Date(now),
    groups: rows,
    rejected: submissions.flatMap(rejectedRows),
    accounting: accountingRows(submissions, acceptances),
  }
  await insertGroups(open.client, commit)
  await open.client.query('commit')
  open.pos += groups.length
  for (const [index, acceptance] of acceptances.entries()) {
    const last = groups.findLast(group => group.workspaceId === submissions[index]?.workspaceId)
    if (last && acceptance.stored > 0) acceptance.position = { lane: last.lane, pos: last.pos }
  }
  return { acceptances, groups }
}

function dedupeRows(submissions: Submission[], keys: string[][], now: number) {
  const today = new Date(now).toISOString().slice(0, 10)
  const dayOf = new Map<string, string | null>()
  submissions.forEach((submission, index) => {
    for (const key of keys[index] as string[])
      if (!dayOf.has(key)) dayOf.set(key, submission.isRememberedForEver ? null : today)
  })
  const sorted = [...dayOf].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    workspaceIds: sorted.map(([key]) => Number(key.slice(0, key.indexOf('/')))),
    messages: sorted.map(([key]) => key.slice(key.indexOf('/') + 1)),
    days: sorted.map(([, day]) => day),
  }
}

/** Tells first sights from repetitions, within the batch too: the first of equals is stored. */
function sortOut(submissions: Submission[], keys: string[][], known: Set<string>) {
  const perWorkspace = new Map<number, { events: LogEntry[]; lines: string[] }>()
  const acceptances = submissions.map((submission, index): Acceptance => {
    const kept = perWorkspace.get(submission.workspaceId) ?? { events: [], lines: [] }
    perWorkspace.set(submission.workspaceId, kept)
    let stored = 0
    submission.events.forEach((event, at) => {
      const key = keys[index]?.[at] as string
      if (known.has(key)) return
      known.add(key)
      stored += 1
      kept.events.push(event)
      kept.lines.push(submission.lines[at] as string)
    })
    const rejected = submission.rejections.length + sumOf(submission.countedRejections)
    return { stored, deduplicated: submission.events.length - stored, rejected }
  })
  return { acceptances, perWorkspace }
}

const sumOf = (counted: Submission['countedRejections']) => (counted ?? []).reduce((sum, { events }) => sum + events, 0)

async function cutGroups(
  open: { lane: number; pos: number },
  perWorkspace: Map<number, { events: LogEntry[]; lines: string[] }>,
) {
  const groups: CommittedGroup[] = []
  for (const [workspaceId, { events, lines }] of perWorkspace) {
    for (let start = 0; start < events.length; start += GROUP_EVENTS_MAX) {
      const end = start + GROUP_EVENTS_MAX
      const pos = open.pos + groups.length + 1
      groups.push({
        workspaceId,
        lane: open.lane,
        pos,
        events: events.slice(start, end),
        lines: lines.slice(start, end),
      })
    }
  }
  const bodies = await Promise.all(groups.map(group => encodeGroup(group.lines)))
  const rows = groups.map((group, index) => ({
    workspaceId: group.workspaceId,
    pos: group.pos,
    events: group.events.length,
    body: bodies[index] as Buffer,
  }))
  return { groups, rows }
}

function rejectedRows(submission: Submission): RejectedRow[] {
  return submission.rejections.map(({ reason, detail, payload, deliveryHeaders, isCut }) => {
    const bytes = Buffer.from(payload)
    return {
      workspaceId: submission.workspaceId,
      source: submission.source,
      reason,
      detail,
      payload: bytes.subarray(0, REJECTED_PAYLOAD_BYTES_MAX),
      isCut: isCut === true || bytes.length > REJECTED_PAYLOAD_BYTES_MAX,
      deliveryHeaders: deliveryHeaders === undefined ? null : JSON.stringify(deliveryHeaders),
    }
  })
}

function accountingRows(submissions: Submission[], acceptances: Acceptance[]): AccountingRow[] {
  const rows = new Map<string, AccountingRow>()
  const count = (submission: Submission, outcome: string, events: number) => {
    if (events === 0) return
    const key = `${submission.workspaceId}/${outcome}/${submission.source}`
    const row = rows.get(key)
    if (row) row.events += events
    else rows.set(key, { workspaceId: submission.workspaceId, source: submission.source, outcome, events })
  }
  submissions.forEach((submission, index) => {
    if (submission.isUncounted) return
    const acceptance = acceptances[index] as Acceptance
    count(submission, 'stored', acceptance.stored)
    count(submission, 'deduplicated', acceptance.deduplicated)
    for (const rejection of submission.rejections) count(submission, rejection.reason, 1)
    for (const { reason, events } of submission.countedRejections ?? []) count(submission, reason, events)
  })
  // Sorted, so that two accepters never wait for each other in a circle.
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}
