/**
 * An import that was claimed in; its rows go through the door of the log, from where an earlier run stopped to the end.
 * How far it is, is written once a second, and only behind what is durable: whatever ends the process, the next run goes
 * on there, and what came twice is recognised by its messageId.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../context.ts'
import { isTransient } from '../store/postgres.ts'
import { type Batch, countBatch, openBatch } from './batch.ts'
import { openRejects, type RejectsFile, rejectsOf } from './files.ts'
import { type Counts, type ImportRow, noCounts } from './import.ts'
import { formatOf, openImport, prepareImport, storedMapping } from './load.ts'
import { mapRow } from './map-row.ts'
import type { PreparedMapping } from './prepare.ts'
import type { OpenedRows } from './read.ts'
import { createRejectsWriter } from './rejects.ts'
import { FileFault } from './row.ts'
import { openSender } from './send.ts'
import { finishImport, saveProgress } from './store.ts'

/** Rows between two turns of the event loop: some 3 ms, so that requests and the pipeline are not kept waiting. */
const ROWS_A_TURN = 100
const SAVE_EVERY_MS = 1_000
/** Rejected rows that wait to be written. */
const REJECTS_CHARS_MAX = 4 * 1024 * 1024

interface Run {
  context: Context
  row: ImportRow
  prepared: PreparedMapping
  opened: OpenedRows
  rejects: RejectsFile
  counts: Counts
  /** Lines for the file of rejected rows, all of rows that are durable. */
  waiting: string[]
  /** Why the run ends before the file does. */
  ending: AbortController
}

type Ending = 'stopped' | 'interrupted' | 'overtaken'

/**
 * Runs one import to its end, its failure, a stop or the end of the process.
 * @throws what waiting may mend (a database that went away): then it goes on when it is claimed again
 */
export async function runImport(context: Context, row: ImportRow, signal: AbortSignal): Promise<void> {
  const end = (state: 'done' | 'failed' | 'stopped', error?: { code: string; message: string }) =>
    finishImport(context.postgres, row, { state, at: new Date(context.now()), ...(error ? { error } : {}) })
  try {
    const run = await openRun(context, row)
    const ending = await toItsEnd(run, signal)
    if (ending === undefined) await end('done')
    if (ending === 'stopped') await end('stopped')
  } catch (error) {
    if (isTransient(error) && !isFileGone(error)) throw error
    await end('failed', failureOf(context, row, error))
  }
}

/** The same code as that of a database whose socket is not there. */
const isFileGone = (error: unknown) => {
  const { code, syscall } = error as NodeJS.ErrnoException
  return code === 'ENOENT' && syscall !== 'connect'
}

function failureOf(context: Context, row: ImportRow, error: unknown): { code: string; message: string } {
  if (error instanceof FileFault) return { code: error.reason, message: error.message }
  const { code, name, stack } = error as NodeJS.ErrnoException
  if (code === 'ENOENT')
    return { code: 'file_missing', message: 'The file, or one of its lookups, is gone: send it again.' }
  if (code === 'ENOSPC') return { code: 'disk_full', message: 'The disk of the server is full: make room, run again.' }
  context.log.error({ import: row.id, error: name, code, at: stack?.split('\n')[1]?.trim() }, 'import failed')
  return { code: 'internal', message: 'The import failed inside the server; its log says more under the id.' }
}

async function openRun(context: Context, row: ImportRow): Promise<Run> {
  const mapping = storedMapping(row.mapping)
  const prepared = await prepareImport(context, row.id, mapping)
  const ending = new AbortController()
  const from = row.checkpoint ?? undefined
  const opened = await openImport(context, row, mapping, from)
  const path = rejectsOf(context, row.id, opened.format)
  const rejects = await openRejects(path, from ? row.rejectsBytes : 0)
  if (rejects) {
    const counts = from ? structuredClone(countsOf(row)) : noCounts()
    return { context, row, prepared, opened, rejects, counts, waiting: [], ending }
  }
  // What was rejected is lost: from the first row again, since nothing is stored twice.
  await opened.close()
  return openRun(context, { ...row, checkpoint: null, rejectsBytes: 0 })
}

const countsOf = ({ rows, events, stored, deduplicated, rejected, rejectedByReason }: ImportRow): Counts => ({
  rows,
  events,
  stored,
  deduplicated,
  rejected,
  rejectedByReason,
})

/** Undefined when every row is finished. */
async function toItsEnd(run: Run, signal: AbortSignal): Promise<Ending | undefined> {
  const { ending } = run
  const interrupt = () => ending.abort('interrupted')
  signal.addEventListener('abort', interrupt, { once: true })
  if (signal.aborted) interrupt()
  const rest = new AbortController()
  const saving = saveNowAndThen(run, AbortSignal.any([rest.signal, ending.signal]))
  try {
    await sendRows(run).catch(error => {
      if (!ending.signal.aborted) throw error
    })
  } finally {
    rest.abort()
    signal.removeEventListener('abort', interrupt)
    await saving
    await run.opened.close()
    // Also when the file is damaged further on: the rows before it are finished.
    if (ending.signal.reason !== 'overtaken') await save(run).finally(() => run.rejects.close())
    else await run.rejects.close()
  }
  const { aborted, reason } = ending.signal
  if (aborted && reason instanceof Error) throw reason
  return aborted ? (reason as Ending) : undefined
}

/** Reads, maps and sends until the rows or the run end; nothing is under way when it returns. */
async function sendRows(run: Run): Promise<void> {
  const { context, row, prepared, opened, ending } = run
  const writer = createRejectsWriter(opened.format, opened.columns, opened.delimiter)
  const timestamp = (row.startedAt ?? new Date(context.now())).toISOString()
  const source = row.source ?? ''
  const sender = openSender(context, ending.signal, (batch, acceptance) => {
    // The file of rejected rows begins with the names of its columns.
    if (run.counts.rejected === 0 && batch.rejected > 0) run.waiting.push(writer.head)
    countBatch(run.counts, batch, acceptance)
    if (batch.rejects !== '') run.waiting.push(batch.rejects)
  })
  const send = (batch: Batch) => {
    const { workspaceId } = row
    return sender.send(batch.seal({ workspaceId, source, receivedAt: context.now(), newMessageId: context.uuid }))
  }
  let batch = openBatch(writer, timestamp)
  try {
    for await (const each of opened.rows) {
      if (each.number % ROWS_A_TURN === 0) await nextTurn()
      if (ending.signal.aborted) return
      batch.add(each, mapRow(prepared, each))
      if (!batch.isFull()) continue
      await send(batch)
      batch = openBatch(writer, timestamp)
      if (charsOf(run.waiting) > REJECTS_CHARS_MAX) await writeRejects(run)
    }
  } finally {
    if (!batch.isEmpty() && !ending.signal.aborted) await send(batch)
    await sender.drain()
  }
}

const charsOf = (texts: string[]) => texts.reduce((chars, text) => chars + text.length, 0)

const writeRejects = (run: Run): Promise<number> => run.rejects.append(run.waiting.splice(0).join(''))

/** Saves once a second, and ends the run when it was stopped, overtaken, or can no longer be saved. */
async function saveNowAndThen(run: Run, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(SAVE_EVERY_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const outcome = await save(run).catch((error: Error) => error)
    if (outcome !== undefined) run.ending.abort(outcome)
  }
}

/** Writes how far it is; says so when the run must end. */
async function save(run: Run): Promise<Ending | undefined> {
  const { context, row, opened } = run
  // What belongs together is taken in one breath: counts go on while the file is written.
  const counts = structuredClone(run.counts)
  const { bytesRead } = opened.progress()
  const checkpoint = opened.checkpoint(counts.rows)
  const rejectsBytes = await writeRejects(run)
  const saved = await saveProgress(context.postgres, row, {
    ...counts,
    at: new Date(context.now()),
    checkpoint,
    rejectsBytes,
    bytesRead,
    format: formatOf(opened),
  })
  if (!saved) return 'overtaken'
  return saved.isStopRequested ? 'stopped' : undefined
}
