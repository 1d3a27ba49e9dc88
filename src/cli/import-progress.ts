/** How an import gets on. In: the server's answers. Out: lines for whoever waits, and a summary at the end. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../client/index.ts'
import type { CommandIo } from './command.ts'

const POLL_MS = 250
/** Without a terminal a line every few seconds is enough. */
const POLLS_A_LINE = 12
/** Of fewer, how long they took says nothing about how fast it is. */
const ROWS_WORTH_A_SPEED = 1_000
const MINUTE_SECONDS = 60
const HOUR_SECONDS = 3_600

type Import = Awaited<ReturnType<typeof askFor>>
const askFor = (client: Client, id: string) => client.request('GET /api/v1/imports/{id}', { params: { id } })

/** Resolves to the import when it ended, or to nothing when whoever waits has had enough. */
export async function followImport(
  client: Client,
  id: string,
  io: CommandIo,
  interrupted: AbortSignal | undefined,
): Promise<Import | undefined> {
  for (let polls = 0; !interrupted?.aborted; polls += 1) {
    const item = await askFor(client, id)
    if (item.state !== 'queued' && item.state !== 'running') {
      io.overwrite?.('')
      return item
    }
    if (io.overwrite) io.overwrite(progressOf(item))
    else if (polls % POLLS_A_LINE === POLLS_A_LINE - 1) io.err(progressOf(item))
    await pause(POLL_MS, undefined, interrupted ? { signal: interrupted } : {}).catch(() => {})
  }
  io.overwrite?.('')
  return undefined
}

function progressOf({ state, rows, rejected, bytesRead, bytesTotal, rowsPerSecond, secondsLeft }: Import): string {
  if (state === 'queued') return 'waiting for its turn'
  const share = bytesTotal ? `${Math.floor((100 * bytesRead) / bytesTotal)} %, ` : ''
  const speed = rowsPerSecond === null ? '' : `, ${grouped(rowsPerSecond)} rows/s`
  const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`
  return `${share}${grouped(rows)} rows, ${grouped(rejected)} rejected${speed}${left}`
}

/** What became of the file, line by line. */
export function summarise(item: Import): string[] {
  const { rows, events, stored, deduplicated, rejected, rejectedByReason, rowsPerSecond } = item
  const speed = rowsPerSecond === null || rows < ROWS_WORTH_A_SPEED ? '' : ` (${grouped(rowsPerSecond)} rows/s)`
  return [
    `rows          ${grouped(rows)}${speed}`,
    `events        ${grouped(events)}`,
    `stored        ${grouped(stored)}`,
    `deduplicated  ${grouped(deduplicated)}`,
    `rejected      ${grouped(rejected)}`,
    ...Object.entries(rejectedByReason).map(([reason, count]) => `  ${reason}  ${grouped(count)}`),
  ]
}

const grouped = (count: number) => count.toLocaleString('en')

function duration(seconds: number): string {
  if (seconds < MINUTE_SECONDS) return `${seconds} s`
  if (seconds < HOUR_SECONDS) return `${Math.ceil(seconds / MINUTE_SECONDS)} min`
  return `${(seconds / HOUR_SECONDS).toFixed(1)} h`
}
