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
  /** Of this file's own database, for a second process on it. */
  connection: { host: string; port: number; user: string; database: string }
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
    accepter: { accept: absent },
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
    connection: postgres.connection,
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
  throw new Error('this test has neither ClickHouse nor a log')
}
const noClickHouse: ClickHouse = { command: absent, query: absent, insert: absent, close: async () => {} }

/** A signed-in browser, as far as the server can tell. */
export interface Browser {
  cookie: string
  csrfToken: string
  client: Client
  /** Sends the cookie; everything else is up to the test. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** Signs in over HTTP. Rejects when the server does not let in. */
export async function signIn(served: Served, who: { email: string; password: string }): Promise<Browser> {
  const response = await post(served, '/api/v1/session', who)
  if (response.status !== 201) throw new Error(`sign-in answered ${response.status}`)
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { csrfToken } = (await response.json()) as { csrfToken: string }
  const withCookie: typeof globalThis.fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), cookie } })
  return {
    cookie,
    csrfToken,
    client: createClient({ baseUrl: served.baseUrl, csrfToken: () => csrfToken, fetch: withCookie }),
    fetch: (path, init) => withCookie(`${served.baseUrl}${path}`, init),
  }
}

/** A plain POST of JSON with nothing but the given headers. */
export const post = (served: Served, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${served.baseUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** Every row of every table of ours as text, for tests that look for what must not be there. */
export async function dumpDatabase(served: Served): Promise<Record<string, string[]>> {
  const tables = await served.context.postgres.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name
     from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'
     order by 1`,
  )
  const dump: Record<string, string[]> = {}
  for (const { name } of tables.rows) {
    const rows = await served.context.postgres.query<{ row: string }>(`select t::text as row from ${name} t`)
    if (rows.rows.length > 0) dump[name] = rows.rows.map(({ row }) => row).sort()
  }
  return dump
}
