/** A whole API server for one test file: real PostgreSQL, real HTTP on a free port, a clock that tests move. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { type Client, createClient } from '../src/client/index.ts'
import type { Context } from '../src/context.ts'
import type { AnyRoute } from '../src/http/route.ts'
import { buildServer, type ServerOptions } from '../src/http/server.ts'
import { apiRoutes } from '../src/routes.ts'
import type { ClickHouse } from '../src/store/clickhouse.ts'
import { authenticator, type FirstStart, firstStart } from '../src/workspaces/index.ts'
import { freshPostgres } from './engines.ts'

export const ADMIN = { email: 'ada@example.com', password: 'correct horse battery' }
export const ADMIN_KEY = 'tlk_test-admin-key-of-the-default-workspace'
export const WRITE_KEY = 'test-write-key-of-website'

export interface Served {
  context: Context
  app: Awaited<ReturnType<typeof buildServer>>
  baseUrl: string
  first: FirstStart
  /** With the admin key of the default workspace. */
  client: Client
  /** What the server logged, line by line. */
  logged: string[]
  /** Moves the server's clock. */
  advance(ms: number): void
  close(): Promise<void>
}

/** Starts with the default workspace, one admin, one source and one admin API key. ClickHouse fails unless given. */
export async function serve(
  options: Partial<ServerOptions> & { clickhouse?: ClickHouse; routes?: readonly AnyRoute[] } = {},
): Promise<Served> {
  const postgres = await freshPostgres()
  const dataDir = mkdtempSync(join(tmpdir(), 'tl-'))
  const logged: string[] = []
  let offsetMs = 0
  const context: Context = {
    config: {
      host: '127.0.0.1',
      port: 0,
      dataDir,
      roles: new Set(['api']),
      demo: false,
      logLevel: 'info',
      first: { adminEmail: ADMIN.email, adminPassword: ADMIN.password, apiKey: ADMIN_KEY, writeKey: WRITE_KEY },
    },
    now: () => Date.now() + offsetMs,
    uuid: () => randomUUID(),
    postgres: postgres.pool,
    clickhouse: options.clickhouse ?? noClickHouse,
    log: pino({ base: null }, { write: (line: string) => void logged.push(line) }),
  }
  const first = await firstStart(context)
  const app = await buildServer(context, {
    routes: apiRoutes,
    authenticate: authenticator(context),
    checkResponses: true,
    ...options,
  })
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    context,
    app,
    baseUrl,
    first,
    client: createClient({ baseUrl, apiKey: ADMIN_KEY }),
    logged,
    advance: ms => {
      offsetMs += ms
    },
    async close() {
      await app.close()
      await postgres.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

const absent = async () => {
  throw new Error('this test has no ClickHouse')
}
const noClickHouse: ClickHouse = { command: absent, query: absent, insert: absent, close: async () => {} }
