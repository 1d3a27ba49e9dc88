import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freshPostgres } from '../../test/engines.ts'
import { archiveOldestDay, listArchive, restoreDay } from './archive.ts'
import { decodeGroup, encodeGroup } from './log-group.ts'
import { insertLogRows } from './store-archive.ts'

let database: Awaited<ReturnType<typeof freshPostgres>>
let folder: string
beforeEach(async () => {
  database = await freshPostgres()
  folder = mkdtempSync(join(tmpdir(), 'throughline-archive-'))
})
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true })
  await database.drop()
})

async function fillLog(rows: number) {
  const frames = []
  for (let pos = 1; pos <= rows; pos += 1) {
    const body = await encodeGroup([
      `{"messageId":"a${pos}","note":"${'é\u2028'.repeat(pos % 50)}"}`,
      `{"messageId":"b${pos}"}`,
    ])
    frames.push({
      workspaceId: 1 + (pos % 2),
      lane: 1 + (pos % 3),
      pos,
      events: 2,
      receivedAt: new Date('2026-03-01T10:00:00Z'),
      body,
    })
  }
  await insertLogRows(database.pool, frames)
}

const everything = async () => {
  const { rows } = await database.pool.query(
    'select workspace_id, lane, pos, events, received_at, body from events.log order by lane, pos',
  )
  return Promise.all(rows.map(async row => ({ ...row, body: await decodeGroup(row.body) })))
}

it('moves a processed day into files and back without changing a row', async () => {
  await fillLog(1_203)
  const before = await everything()
  await database.pool.query('insert into events.cursor (lane, pos) values (1, 9999), (2, 9999), (3, 9999)')

  expect(await archiveOldestDay(database.pool, folder, '2026-03-02')).toBe('2026-03-01')
  expect(await everything()).toEqual([])
  const files = await listArchive(folder)
  expect(files.map(file => file.manifest.events).reduce((a, b) => a + b)).toBe(2_406)

  for (const file of files) await restoreDay(database.pool, file)
  expect(await everything()).toEqual(before)
  expect(readdirSync(join(folder, '1'))).toEqual([])
})

it('leaves a day alone that the pipeline has not finished, and days that are not old enough', async () => {
  await fillLog(10)
  await database.pool.query('insert into events.cursor (lane, pos) values (1, 9), (2, 4), (3, 9999)')
  expect(await archiveOldestDay(database.pool, folder, '2026-03-02')).toBeUndefined()
  await database.pool.query('update events.cursor set pos = 9999')
  expect(await archiveOldestDay(database.pool, folder, '2026-03-01')).toBeUndefined()
  expect((await everything()).length).toBe(10)
})

it('refuses a damaged file and keeps it', async () => {
  await fillLog(10)
  await database.pool.query('insert into events.cursor (lane, pos) values (1, 99), (2, 99), (3, 99)')
  await archiveOldestDay(database.pool, folder, '2026-03-02')
  const [file] = await listArchive(folder)
  if (!file) throw new Error('no archive')
  writeFileSync(`${file.path}.json`, JSON.stringify({ ...file.manifest, sha256: 'other' }))
  const [damaged] = await listArchive(folder)
  await expect(restoreDay(database.pool, damaged as typeof file)).rejects.toThrow('damaged')
  expect(await everything()).toEqual([])
  expect((await listArchive(folder)).length).toBe(2)
})
