/**
 * The whole system for one test file, as `npm start` starts it, on a database and a folder of its own: the shop
 * "Northwind" with Ada (anonymous, then known) and Grace (two e-mail addresses, a shared tablet).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '../src/client/index.ts'
import type { Config } from '../src/config.ts'
import { awaitProcessed } from '../src/events/index.ts'
import { type Running, start } from '../src/start.ts'
import type { Postgres } from '../src/store/postgres.ts'
import { freshPostgres } from './engines.ts'

export const WRITE_KEY = 'wk_northwind'
export const API_KEY = 'tlk_northwind_admin'

export interface World {
  running: Running
  client: Client
  config: Config
  /** Sends calls as a client would, in one batch; resolves when profiles and ClickHouse hold them. */
  send(...calls: object[]): Promise<void>
  /** GET of the API, as JSON. */
  get<T>(path: string): Promise<T>
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** Resolves when everything accepted so far is processed. */
  settled(): Promise<void>
  /** Stops and starts again on the same data. */
  restart(): Promise<void>
  close(): Promise<void>
}

export interface Ground {
  config: Config
  pool: Postgres
  remove(): Promise<void>
}

/** A database and a folder on which nothing runs yet; `isEmpty`: without even a schema. */
export async function openGround(options: { isEmpty?: boolean } = {}): Promise<Ground> {
  const database = await freshPostgres(options)
  const dataDir = mkdtempSync(join(tmpdir(), 'tl-world-'))
  const { host, user, database: name } = database.connection
  const config: Config = {
    host: '127.0.0.1',
    port: 0,
    dataDir,
    databaseUrl: `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}`,
    roles: new Set(['api', 'pipeline', 'jobs']),
    demo: false,
    logLevel: 'error',
    first: {
      adminEmail: 'ada@example.com',
      adminPassword: 'correct horse battery',
      apiKey: API_KEY,
      writeKey: WRITE_KEY,
    },
  }
  return {
    config,
    pool: database.pool,
    async remove() {
      await database.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export async function openWorld(ground?: Ground): Promise<World> {
  const { config, pool, remove } = ground ?? (await openGround())
  let running = await start(config)
  const connect = () => createClient({ baseUrl: running.url, apiKey: API_KEY })
  const request = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(running.url + path, {
      method,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
  }
  const settled = async () => {
    const { rows } = await pool.query<{ lane: number; pos: number }>('select lane, pos from events.lane where pos > 0')
    for (const position of rows)
      if (!(await awaitProcessed(pool, position))) throw new Error('the pipeline did not catch up')
  }
  const world: World = {
    get running() {
      return running
    },
    get client() {
      return connect()
    },
    config,
    request,
    settled,
    async send(...calls) {
      const response = await fetch(`${running.url}/v1/batch`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${WRITE_KEY}:`)}` },
        body: JSON.stringify({ batch: calls }),
      })
      if (response.status !== 200)
        throw new Error(`the batch was answered ${response.status}: ${await response.text()}`)
      await settled()
    },
    async get<T>(path: string) {
      const { status, body } = await request('GET', path)
      if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`)
      return body as T
    },
    async restart() {
      await running.stop()
      running = await start(config)
    },
    async close() {
      await running.stop()
      await remove()
    },
  }
  return world
}
