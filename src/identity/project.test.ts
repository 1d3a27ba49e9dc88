import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshClickHouse } from '../../test/engines.ts'
import type { ClickHouse } from '../store/clickhouse.ts'
import { personOf } from './person-of.ts'
import { projectMap, settleMap } from './project.ts'

let clickhouse: ClickHouse
let drop: () => Promise<void>
beforeAll(async () => {
  const fresh = await freshClickHouse()
  clickhouse = fresh.clickhouse
  drop = fresh.drop
})
afterAll(() => drop())

const person = async (node: number, at = 0): Promise<number> => {
  const sql = `select ${personOf('{node:UInt64}', 'fromUnixTimestamp64Milli({at:Int64})')} as person`
  const [row] = await clickhouse.query<{ person: number }>(sql, { node, at })
  return row?.person ?? -1
}

it('leads a node without an entry to itself', async () => {
  expect(await person(5)).toBe(5)
})

it('leads to the new profile at once after a merge, and back after its undo, settled or not', async () => {
  await projectMap(clickhouse, 1, [{ node: 7, profile: 3, owners: [] }])
  expect(await person(7)).toBe(3)
  await settleMap(clickhouse)
  expect(await person(7)).toBe(3)
  await projectMap(clickhouse, 2, [{ node: 7, profile: 7, owners: [] }])
  expect(await person(7)).toBe(7)
  await settleMap(clickhouse)
  expect(await person(7)).toBe(7)
})

it('leads a shared device to its owner of each time, to the millisecond, and follows when the owners change', async () => {
  const owners = [
    { from: 0, to: 1000, profile: 11 },
    { from: 1000, to: 9000, profile: 12 },
  ]
  await projectMap(clickhouse, 3, [{ node: 9, profile: 0, owners }])
  expect([await person(9, 0), await person(9, 999), await person(9, 1000), await person(9, 8999)]).toEqual([
    11, 11, 12, 12,
  ])
  await projectMap(clickhouse, 4, [
    {
      node: 9,
      profile: 0,
      owners: [
        { from: 0, to: 500, profile: 11 },
        { from: 500, to: 9000, profile: 13 },
      ],
    },
  ])
  expect([await person(9, 499), await person(9, 500)]).toEqual([11, 13])
  await projectMap(clickhouse, 5, [{ node: 9, profile: 20, owners: [] }])
  expect(await person(9, 600)).toBe(20)
})
