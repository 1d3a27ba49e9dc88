/** What every shell function gets instead of reaching for it: the clock, ids, databases, the log and the settings. */
import { randomUUID } from 'node:crypto'
import pino, { type Logger } from 'pino'
import type { Config } from './config.ts'
import type { Acceptance, Submission } from './events/index.ts'
import type { ClickHouse } from './store/clickhouse.ts'
import type { Postgres } from './store/postgres.ts'

export interface Context {
  config: Config
  /** Epoch milliseconds. */
  now(): number
  uuid(): string
  postgres: Postgres
  clickhouse: ClickHouse
  log: Logger
  /** The one door into the log. Resolves once what was given is durable; throws `unavailable` or `overloaded`. */
  accepter: { accept(submission: Submission): Promise<Acceptance> }
}

export const systemClock = { now: () => Date.now(), uuid: () => randomUUID() }

/** JSON lines on standard output. Only ids, counts and codes are logged; never a trait, an identifier or a payload. */
export const openLog = (level: Config['logLevel']): Logger => pino({ level, base: null })
