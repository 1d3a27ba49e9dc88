import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPostgres } from '../../test/engines.ts'
import type { Postgres } from '../store/postgres.ts'
import { insertMessages } from './store.ts'
import { compactAccounting, expireMessages } from './store-archive.ts'

let postgres: Postgres
let drop: () => Promise<void>
beforeAll(async () => {
  const fresh = await freshPostgres()
  postgres = fresh.pool
  drop = fresh.drop
})
afterAll(() => drop())

const id = (n: number) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`

it('forgets message ids of days before the limit, a slice at a time, and those of files never', async () => {
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', null]
  await insertMessages(postgres, { workspaceIds: days.map(() => 1), messages: days.map((_, n) => id(n)), days })
  expect(await expireMessages(postgres, '2026-01-03', 1)).toBe(1)
  expect(await expireMessages(postgres, '2026-01-03', 10)).toBe(1)
  expect(await expireMessages(postgres, '2036-01-01', 10)).toBe(1)
  const left = await postgres.query('select message::text from events.dedupe')
  expect(left.rows).toEqual([{ message: id(3) }])
})

it('turns minutes of the accounting into hours without changing a sum', async () => {
  const rows = [
    ['web', '2026-01-01T10:00:00Z', 'stored', 1],
    ['web', '2026-01-01T10:01:00Z', 'stored', 2],
    ['web', '2026-01-01T10:59:00Z', 'deduplicated', 4],
    ['shop', '2026-01-01T10:30:00Z', 'stored', 8],
    ['web', '2026-01-02T10:30:00Z', 'stored', 16],
  ] as const
  for (const row of rows) {
    await postgres.query(
      'insert into events.accounting (workspace_id, lane, source, minute, outcome, events) values (1, 1, $1, $2, $3, $4)',
      [...row],
    )
  }
  await compactAccounting(postgres, new Date('2026-01-02T00:00:00Z'), 100)
  const { rows: left } = await postgres.query(
    'select source, minute, outcome, events from events.accounting order by minute, source, outcome',
  )
  expect(left.map(row => [row.source, row.minute.toISOString().slice(11, 16), row.outcome, row.events])).toEqual([
    ['shop', '10:00', 'stored', 8],
    ['web', '10:00', 'deduplicated', 4],
    ['web', '10:00', 'stored', 3],
    ['web', '10:30', 'stored', 16],
  ])
})
