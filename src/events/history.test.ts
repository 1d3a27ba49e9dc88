import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freshPostgres } from '../../test/engines.ts'
import type { Config } from '../config.ts'
import { archiveFolder, archiveOldestDay, listArchive, restoreArchive } from './archive.ts'
import { type History, withHistory } from './history.ts'
import { encodeGroup } from './log-group.ts'
import { insertLogRows } from './store-archive.ts'

let database: Awaited<ReturnType<typeof freshPostgres>>
let dataDir: string
beforeEach(async () => {
  database = await freshPostgres()
  dataDir = mkdtempSync(join(tmpdir(), 'throughline-history-'))
})
afterEach(async () => {
  rmSync(dataDir, { recursive: true, force: true })
  await database.drop()
})

/** Rows of two events each, by turns of two workspaces, in two lanes. */
async function fillLog(day: string, from: number, to: number) {
  const frames = []
  for (let pos = from; pos <= to; pos += 1) {
    const lines = ['a', 'b'].map(letter => JSON.stringify({ messageId: `${letter}${pos}`, type: 'track' }))
    const place = { workspaceId: 1 + (pos % 2), lane: 1 + (Math.floor(pos / 2) % 2), pos, events: 2 }
    frames.push({ ...place, receivedAt: new Date(`${day}T10:00:00Z`), body: await encodeGroup(lines) })
  }
  await insertLogRows(database.pool, frames)
}

const reach = (pos: number) =>
  database.pool.query(
    'insert into events.cursor (lane, pos) values (1, $1), (2, $1) on conflict (lane) do update set pos = excluded.pos',
    [pos],
  )

const inHistory = <T>(work: (history: History) => Promise<T>) =>
  withHistory({ postgres: database.pool, config: { dataDir } as Config }, 1, work)

const readAll = () =>
  inHistory(async history => {
    const passes: string[][] = [[], []]
    for (const pass of passes) {
      for await (const batch of history.batches(10)) pass.push(...batch.map(({ entry }) => entry.messageId))
    }
    expect(passes[0]).toEqual(passes[1])
    return { size: history.size, messages: passes[0] ?? [] }
  })

/** Of workspace 1: even positions. */
const expected = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)
    .filter(pos => pos % 2 === 0)
    .flatMap(pos => [`a${pos}`, `b${pos}`])

it('is everything of one workspace that the pipeline has processed, the same each time', async () => {
  await fillLog('2026-03-01', 1, 200)
  await reach(150)
  const { size, messages } = await readAll()
  expect(size).toBe(150)
  expect(messages.toSorted()).toEqual(expected(1, 150).toSorted())
})

it('begins with the archived days and holds no event twice, also when moving a day was cut off', async () => {
  await fillLog('2026-03-01', 1, 100)
  await fillLog('2026-03-02', 101, 200)
  await reach(999)
  const before = await readAll()
  expect(await archiveOldestDay(database.pool, archiveFolder(dataDir), '2026-03-02')).toBe('2026-03-01')
  const archived = await readAll()
  expect(archived.size).toBe(before.size)
  expect(archived.messages.slice(0, 100).toSorted()).toEqual(expected(1, 100).toSorted())
  expect(archived.messages.toSorted()).toEqual(before.messages.toSorted())

  // The file is whole, and the rows are in the log as well.
  await fillLog('2026-03-01', 1, 100)
  expect(await readAll()).toEqual(archived)
})

it('leaves out what was set aside, where it was set aside', async () => {
  await fillLog('2026-03-01', 1, 20)
  await reach(20)
  await database.pool.query(
    `insert into events.block (block, ranges, excluded, rows, is_open, at)
    values (1, '[{"lane": 2, "from": 1, "to": 8}, {"lane": 1, "from": 1, "to": 8}]', '{a6,b14}', 1, false, now())`,
  )
  const { messages } = await readAll()
  expect(messages.toSorted()).toEqual(
    expected(1, 20)
      .filter(id => id !== 'a6')
      .toSorted(),
  )
})

it('holds the days still while it is read', async () => {
  await fillLog('2026-03-01', 1, 20)
  await reach(20)
  const folder = archiveFolder(dataDir)
  await inHistory(async () => {
    expect(await archiveOldestDay(database.pool, folder, '2026-03-02')).toBeUndefined()
    expect(await restoreArchive(database.pool, folder)).toBe(false)
  })
  expect(await archiveOldestDay(database.pool, folder, '2026-03-02')).toBe('2026-03-01')
  expect((await listArchive(folder)).length).toBe(2)
})
