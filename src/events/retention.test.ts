import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshClickHouse } from '../../test/engines.ts'
import type { ClickHouse } from '../store/clickhouse.ts'
import { dropMonths } from './project.ts'

let clickhouse: ClickHouse
let drop: () => Promise<void>
beforeAll(async () => {
  const fresh = await freshClickHouse()
  clickhouse = fresh.clickhouse
  drop = fresh.drop
})
afterAll(() => drop())

it('drops whole months before a day and keeps the month of that day whole', async () => {
  for (const day of ['2025-11-30', '2025-12-31', '2026-01-01', '2026-01-31', '2026-02-01']) {
    await clickhouse.command(
      `insert into events (workspace_id, timestamp, message_id) values (1, {day:String}, {day:String})`,
      { day },
    )
  }
  expect(await dropMonths(clickhouse, Date.UTC(2026, 0, 20))).toEqual(['202511', '202512'])
  const left = await clickhouse.query<{ id: string }>('select message_id as id from events order by id limit 10')
  expect(left.map(row => row.id)).toEqual(['2026-01-01', '2026-01-31', '2026-02-01'])
  expect(await dropMonths(clickhouse, Date.UTC(2026, 0, 20))).toEqual([])
})
