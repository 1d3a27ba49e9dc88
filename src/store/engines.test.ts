import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshClickHouse, freshPostgres } from '../../test/engines.ts'
import type { ClickHouse } from './clickhouse.ts'
import { migrateClickHouse, migratePostgres, migrationFolders, readMigrations } from './migrate.ts'
import { transaction } from './postgres.ts'

describe('PostgreSQL', () => {
  it('is migrated, and migrating again changes nothing', async () => {
    const database = await freshPostgres()
    const migrations = readMigrations(migrationFolders.postgres)
    await migratePostgres(database.pool, migrations)
    const done = await database.pool.query('select version from public.migration order by version')
    expect(done.rows.map(row => row.version)).toEqual(migrations.map(migration => migration.version))
    await database.drop()
  })

  it('rolls a transaction back when its work throws', async () => {
    const database = await freshPostgres()
    const work = transaction(database.pool, async client => {
      await client.query('insert into events.lane (lane) values (7)')
      throw new Error('stop')
    })
    await expect(work).rejects.toThrow('stop')
    expect((await database.pool.query('select count(*) as lanes from events.lane')).rows).toEqual([{ lanes: 0 }])
    await database.drop()
  })
})

describe('ClickHouse', () => {
  let clickhouse: ClickHouse
  let drop: () => Promise<void>
  beforeAll(async () => {
    const fresh = await freshClickHouse()
    clickhouse = fresh.clickhouse
    drop = fresh.drop
  })
  afterAll(() => drop())

  const block = (nodes: number[], token: string) => ({
    table: 'node_profile',
    columns: [
      { name: 'node', type: 'UInt64' as const, values: nodes },
      { name: 'profile', type: 'UInt64' as const, values: nodes.map(node => node + 1) },
      { name: 'version', type: 'UInt64' as const, values: nodes.map(() => 1) },
    ],
    token,
  })

  it('is migrated, and migrating again changes nothing', async () => {
    await migrateClickHouse(clickhouse, readMigrations(migrationFolders.clickhouse))
    expect(await clickhouse.query('select count() as n from migration')).toEqual([
      { n: readMigrations(migrationFolders.clickhouse).length },
    ])
  })

  it('keeps integers up to 2^53 and negative times exact through a native block', async () => {
    await clickhouse.command(
      'create table exact (n UInt64, i Int64, t DateTime64(3), s String, a Array(UInt64)) engine = MergeTree order by n settings non_replicated_deduplication_window = 10',
    )
    const numbers = [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]
    await clickhouse.insert({
      table: 'exact',
      columns: [
        { name: 'n', type: 'UInt64', values: numbers },
        { name: 'i', type: 'Int64', values: numbers.map(n => -n) },
        { name: 't', type: 'DateTime64(3)', values: numbers.map((_, index) => index - 3) },
        { name: 's', type: 'String', values: numbers.map(n => `é${n}\n'`.repeat(40)) },
        { name: 'a', type: 'Array(UInt64)', values: numbers.map((n, index) => Array.from({ length: index }, () => n)) },
      ],
      token: 'one',
    })
    const rows = await clickhouse.query<{ n: number; i: number; t: number; s: string; a: number[] }>(
      'select n, i, toUnixTimestamp64Milli(t) as t, s, a from exact order by n limit 10',
    )
    expect(rows.map(row => row.n)).toEqual(numbers)
    expect(rows.map(row => row.i)).toEqual(numbers.map(n => 0 - n))
    expect(rows.map(row => row.t)).toEqual([-3, -2, -1, 0, 1, 2])
    expect(rows.map(row => row.s)).toEqual(numbers.map(n => `é${n}\n'`.repeat(40)))
    expect(rows.map(row => row.a)).toEqual(numbers.map((n, index) => Array.from({ length: index }, () => n)))
  })

  it('takes a block once, however often it is repeated under its token, also after another insert', async () => {
    await clickhouse.insert(block([1, 2], 'token:a'))
    await clickhouse.insert(block([3], 'token:b'))
    await clickhouse.insert(block([1, 2], 'token:a'))
    await clickhouse.command('insert into node_profile (node, profile, version) values (9, 9, 1)')
    await clickhouse.command('insert into node_profile (node, profile, version) values (9, 9, 2)')
    expect(
      await clickhouse.query('select node, count() as n from node_profile group by node order by node limit 10'),
    ).toEqual([
      { node: 1, n: 1 },
      { node: 2, n: 1 },
      { node: 3, n: 1 },
      { node: 9, n: 2 },
    ])
  })

  it('answers a short question while a long one runs', async () => {
    const long = clickhouse.query('select sum(sipHash64(number)) as s from numbers(60000000)', {}, { lane: 'long' })
    let isLongDone = false
    const finished = long.then(() => {
      isLongDone = true
    })
    await clickhouse.query('select 1 as one')
    await clickhouse.insert(block([100], 'token:c'))
    expect(isLongDone).toBe(false)
    await finished
  })

  it('stops a question that takes longer than it may', async () => {
    const question = clickhouse.query(
      'select sum(sipHash64(number)) as s from numbers(100000000000)',
      {},
      { timeoutMs: 200 },
    )
    await expect(question).rejects.toThrow(/TIMEOUT|Timeout/)
  })
})
