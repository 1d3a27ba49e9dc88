/** Background work: each job runs again and again, in one process at a time, until the program stops. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isConnectionLost, type Postgres } from './postgres.ts'

export interface Job {
  name: string
  /** Pause between two runs. */
  everyMs: number
  /** One slice of work; true asks to go on at once. Must be harmless when it is cut off and run again. */
  run(signal: AbortSignal): Promise<boolean>
}

export interface Jobs {
  isReady(): boolean
  /** Waits for the slices under way. */
  close(): Promise<void>
}

/** First key of the advisory locks; the second is a hash of the job's name. */
const JOB_LOCK = 7071
const RETRY_MS = 1_000

export function startJobs(postgres: Postgres, log: Logger, jobs: Job[]): Jobs {
  const closing = new AbortController()
  const running = jobs.map(job => repeat(postgres, log, job, closing.signal))
  return {
    isReady: () => !closing.signal.aborted,
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

async function repeat(postgres: Postgres, log: Logger, job: Job, signal: AbortSignal): Promise<void> {
  const rest = (ms: number) => pause(ms, undefined, { signal }).catch(() => {})
  while (!signal.aborted) {
    try {
      const isMore = await runLocked(postgres, job, signal)
      if (!isMore) await rest(job.everyMs)
    } catch (error) {
      if (!isConnectionLost(error)) {
        const { name, stack } = error as Error
        log.error(
          { job: job.name, error: name, code: (error as { code?: string }).code, at: stack?.split('\n')[1]?.trim() },
          'job failed',
        )
      }
      await rest(RETRY_MS)
    }
  }
}

async function runLocked(postgres: Postgres, job: Job, signal: AbortSignal): Promise<boolean> {
  const client = await postgres.connect()
  let broken: Error | undefined
  try {
    const lock = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as taken', [
      JOB_LOCK,
      job.name,
    ])
    if (!lock.rows[0]?.taken) return false
    try {
      return await job.run(signal)
    } finally {
      await client.query('select pg_advisory_unlock($1, hashtext($2))', [JOB_LOCK, job.name])
    }
  } catch (error) {
    broken = isConnectionLost(error) ? (error as Error) : undefined
    throw error
  } finally {
    client.release(broken)
  }
}
