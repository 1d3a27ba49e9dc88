/** ClickHouse: the same SQL in this process (chDB) or at CLICKHOUSE_URL, behind one small interface. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type ClickHouseClient, type ClickHouseSettings, createClient } from '@clickhouse/client'
import { encodeNative, type NativeColumn, nativeStructure } from './native.ts'

export interface ClickHouse {
  /** Runs one statement that returns nothing. */
  command(sql: string, params?: Params): Promise<void>
  /**
   * Runs one select and returns its rows as objects; 64-bit integers come as numbers.
   * `lane` keeps long questions from delaying short ones: a timeline reads on `short`, a report on `long`.
   */
  query<Row>(sql: string, params?: Params, options?: { lane?: 'short' | 'long'; timeoutMs?: number }): Promise<Row[]>
  /**
   * Inserts one block, whole or not at all. A second insert with the same `token` into the same table does nothing,
   * so a block may be repeated after a crash; the rows behind a token must never vary.
   */
  insert(block: InsertBlock): Promise<void>
  close(): Promise<void>
}

type Params = Record<string, unknown>

export interface InsertBlock {
  table: string
  /** `select` list over `columns`, where a column needs converting; default: the columns as they are. */
  select?: Record<string, string>
  columns: NativeColumn[]
  token: string
}

const SHORT_TIMEOUT_MS = 10_000
const LONG_TIMEOUT_MS = 60_000
const SHORT_CONNECTIONS = 3
const LONG_CONNECTIONS = 2
/** A block is inserted as one part: cut in two, only the first half would be remembered under its token. */
const BLOCK_ROWS_MAX = 1_000_000

const insertSettings: ClickHouseSettings = {
  max_insert_block_size: String(BLOCK_ROWS_MAX),
  min_insert_block_size_rows: String(BLOCK_ROWS_MAX),
  min_insert_block_size_bytes: '0',
  max_block_size: String(BLOCK_ROWS_MAX),
  max_partitions_per_insert_block: '1000',
  async_insert: 0,
  // {"a.b": 1, "a": {"b": 2}} is JSON; to ClickHouse both are a.b, and the first counts.
  type_json_skip_duplicated_paths: 1,
}

const querySettings = (timeoutMs: number): ClickHouseSettings => ({
  max_execution_time: timeoutMs / 1000,
  // Settings of one chDB query stay for the next on that connection, so each names its own.
  insert_deduplication_token: '',
  output_format_json_quote_64bit_integers: 0,
})

/** Opens ClickHouse at a URL; the database is named in the URL's path, as usual (`http://host:8123/throughline`). */
export function openRemoteClickHouse(url: string): ClickHouse {
  const client = createClient({ url, max_open_connections: SHORT_CONNECTIONS + LONG_CONNECTIONS + 1 })
  return {
    command: (sql, params) => run(client, sql, params),
    query: (sql, params, options) => select(client, sql, params, options),
    async insert(block) {
      const { stream } = await client.exec({
        query: `${insertInto(block)} from input('${nativeStructure(block.columns)}') format Native`,
        values: Readable.from([encodeNative(block.columns)]),
        clickhouse_settings: { ...insertSettings, insert_deduplication_token: block.token },
      })
      // Read to its end, or the connection cannot be used again.
      for await (const _ of stream);
    },
    close: () => client.close(),
  }
}

/**
 * Opens chDB on `folder`. One process at a time may hold a folder. A connection runs one query at a time, so there are
 * several on the same folder: one that writes, some for short reads, some for long ones.
 */
export async function openEmbeddedClickHouse(folder: string): Promise<ClickHouse> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const inbox = join(folder, 'inbox')
  rmSync(inbox, { recursive: true, force: true })
  mkdirSync(inbox, { mode: 0o700 })
  const { createChdbConnection } = await import('chdb/connection')
  type Hook = Parameters<typeof createClient>[0] & { connection?: unknown }
  const open = () => createClient({ connection: createChdbConnection({ path: folder }) } as Hook)

  const writer = lane([open()])
  const readers = {
    short: lane(Array.from({ length: SHORT_CONNECTIONS }, open)),
    long: lane(Array.from({ length: LONG_CONNECTIONS }, open)),
  }
  return {
    command: (sql, params) => writer.use(client => run(client, sql, params)),
    query: (sql, params, options = {}) =>
      readers[options.lane ?? 'short'].use(client => select(client, sql, params, options)),
    async insert(block) {
      // Binary bodies are damaged on their way through chDB's connection, a file is not.
      const file = join(inbox, `${randomUUID()}.native`)
      await writeFile(file, encodeNative(block.columns), { mode: 0o600 })
      try {
        await writer.use(client =>
          client.command({
            query: `${insertInto(block)} from file('${file}', Native, '${nativeStructure(block.columns)}')`,
            clickhouse_settings: {
              ...insertSettings,
              insert_deduplication_token: block.token,
            },
          }),
        )
      } finally {
        rmSync(file, { force: true })
      }
    },
    async close() {
      await writer.close()
      await readers.short.close()
      await readers.long.close()
    },
  }
}

interface Lane {
  use<T>(work: (client: ClickHouseClient) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Hands out connections one user at a time, first come first served. */
function lane(clients: ClickHouseClient[]): Lane {
  const idle = [...clients]
  const waiting: ((client: ClickHouseClient) => void)[] = []
  const take = () => {
    const client = idle.pop()
    return client ? Promise.resolve(client) : new Promise<ClickHouseClient>(resolve => waiting.push(resolve))
  }
  const give = (client: ClickHouseClient) => {
    const next = waiting.shift()
    if (next) next(client)
    else idle.push(client)
  }
  return {
    async use(work) {
      const client = await take()
      try {
        return await work(client)
      } finally {
        give(client)
      }
    },
    async close() {
      for (const _ of clients) await take()
      for (const client of clients) await client.close()
    },
  }
}

const insertInto = (block: InsertBlock) => {
  const names = block.columns.map(column => column.name)
  return `insert into ${block.table} (${names.join(', ')}) select ${names.map(name => block.select?.[name] ?? name).join(', ')}`
}

async function run(client: ClickHouseClient, sql: string, params: Params = {}): Promise<void> {
  await client.command({ query: sql, query_params: params, clickhouse_settings: querySettings(LONG_TIMEOUT_MS) })
}

async function select<Row>(
  client: ClickHouseClient,
  sql: string,
  params: Params = {},
  options: { lane?: 'short' | 'long'; timeoutMs?: number } = {},
): Promise<Row[]> {
  const timeoutMs = options.timeoutMs ?? (options.lane === 'long' ? LONG_TIMEOUT_MS : SHORT_TIMEOUT_MS)
  const result = await client.query({
    query: sql,
    format: 'JSONEachRow',
    query_params: params,
    clickhouse_settings: querySettings(timeoutMs),
  })
  return (await result.json()) as Row[]
}
