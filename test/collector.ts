/** A collecting server on a real PostgreSQL for one test file: two workspaces, three sources, and what the log then holds. */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { type Accepter, openAccepter } from '../src/events/accept.ts'
import type { CollectOptions, FoundSource } from '../src/events/collect.ts'
import { decodeGroup } from '../src/events/log-group.ts'
import { collectRoutes } from '../src/events/routes.ts'
import { buildServer } from '../src/http/server.ts'
import type { Event } from '../src/spec/event.ts'
import type { Postgres } from '../src/store/postgres.ts'
import { freshPostgres } from './engines.ts'

/** Northwind has a web shop and a server; Globex is another workspace. */
export const keys = { web: 'wk_web_1', server: 'wk_server_1', off: 'wk_off_1', globex: 'wk_globex_1' } as const

export interface Collector {
  url: string
  app: FastifyInstance
  accepter: Accepter
  pool: Postgres
  connection: { host: string; port: number; user: string; database: string }
  /** Everything that the log holds, in its order. */
  events(workspaceId?: number): Promise<Event[]>
  rejected(): Promise<{ source: string; reason: string; detail: string; payload: Buffer; isCut: boolean }[]>
  /** Sums of the accounting over all sources of a workspace, by outcome. */
  accounting(workspaceId?: number): Promise<Record<string, number>>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

export interface CollectorOptions extends Partial<CollectOptions> {
  /** Stands between the routes and the real accepter. */
  around?(accepter: Accepter): Pick<Accepter, 'accept'>
}

export async function startCollector(given: CollectorOptions = {}): Promise<Collector> {
  const { pool, connection, drop } = await freshPostgres()
  const sources = await seedSources(pool)
  const log = pino({ level: 'silent' })
  const now = given.now ?? (() => Date.now())
  const accepter = openAccepter({ now, log }, connection, () => {})
  const routes = collectRoutes({
    findSource: async writeKey => sources.get(writeKey),
    newMessageId: randomUUID,
    ...given,
    now,
    accepter: given.around?.(accepter) ?? accepter,
  })
  const context = { now, log, uuid: randomUUID } as unknown as Parameters<typeof buildServer>[0]
  const app = await buildServer(context, { routes: [], authenticate: () => undefined, plugins: [routes] })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    app,
    accepter,
    pool,
    connection,
    events: (workspaceId = 1) => readEvents(pool, workspaceId),
    rejected: () => readRejected(pool),
    accounting: (workspaceId = 1) => readAccounting(pool, workspaceId),
    post: (path, body, headers = {}) => fetch(url + path, { method: 'POST', headers, body: bodyOf(body) }),
    async close() {
      await app.close()
      await accepter.close()
      await drop()
    },
  }
}

const bodyOf = (body: unknown): string | Uint8Array<ArrayBuffer> =>
  typeof body === 'string' ? body : body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body)

/** The fields of an answer. */
export const fieldsOf = async (response: Response) => (await response.json()) as Record<string, unknown>

/** `Authorization` as every server client sends it. */
export const basic = (writeKey: string) => ({ authorization: `Basic ${btoa(`${writeKey}:`)}` })

async function seedSources(pool: Postgres): Promise<Map<string, FoundSource>> {
  await pool.query(
    `insert into workspaces.workspace (slug, name, identity_key, created_at)
     values ('northwind', 'Northwind', '\\x00', now()), ('globex', 'Globex', '\\x01', now())`,
  )
  const source = (workspaceId: number, slug: string, isEnabled = true): FoundSource => ({
    workspaceId,
    slug,
    isEnabled,
    kind: 'http',
    settings: {},
  })
  return new Map([
    [keys.web, source(1, 'web')],
    [keys.server, source(1, 'server')],
    [keys.off, source(1, 'off', false)],
    [keys.globex, source(2, 'globex-web')],
  ])
}

async function readEvents(pool: Postgres, workspaceId: number): Promise<Event[]> {
  const { rows } = await pool.query<{ body: Buffer }>(
    'select body from events.log where workspace_id = $1 order by lane, pos',
    [workspaceId],
  )
  const groups = await Promise.all(rows.map(row => decodeGroup(row.body)))
  return groups.flat().map(line => JSON.parse(line) as Event)
}

async function readRejected(pool: Postgres) {
  const { rows } = await pool.query<Awaited<ReturnType<Collector['rejected']>>[number]>(
    'select source, reason, detail, payload, is_cut as "isCut" from events.rejected order by id',
  )
  return rows
}

async function readAccounting(pool: Postgres, workspaceId: number): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ outcome: string; events: number }>(
    `select outcome, sum(events)::bigint as events from events.accounting
     where workspace_id = $1 group by outcome order by outcome`,
    [workspaceId],
  )
  return Object.fromEntries(rows.map(row => [row.outcome, row.events]))
}
