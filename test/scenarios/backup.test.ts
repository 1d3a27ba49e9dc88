import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBackup } from '../../src/backup/backup.ts'
import { restoreBackup } from '../../src/backup/index.ts'
import { type Ground, openGround, openWorld, type World } from '../world.ts'

let folder: string
let before: Awaited<ReturnType<typeof answers>>
let file: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tl-backup-'))
  file = join(folder, 'backup')
  const world = await openWorld()
  await world.send(
    {
      type: 'identify',
      messageId: 'b1',
      userId: 'ada',
      anonymousId: 'phone',
      traits: { email: 'ada@example.com', note: 'a\tb\\N\n"é' },
    },
    { type: 'track', messageId: 'b2', anonymousId: 'phone', event: 'Order Completed', properties: { total: 12.5 } },
    { type: 'track', messageId: 'b3', userId: 'grace', event: 'Page' },
  )
  await world.request('POST', '/api/v1/profiles/user_id:ada/merges', { with: 'user_id:grace' })
  await pipeline(openBackup(world.running.context), createWriteStream(file))
  before = await answers(world)
  // One process holds one folder of chDB at a time.
  await world.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const answers = async (one: World) => ({
  ada: await one.get('/api/v1/profiles/user_id:ada'),
  events: await one.get('/api/v1/profiles/user_id:ada/events'),
  identity: await one.get('/api/v1/profiles/user_id:ada/identity'),
  accounting: await one.get('/api/v1/accounting'),
  sources: await one.get('/api/v1/sources'),
})

it('restores into an empty place and answers as before, duplicates included', async () => {
  const ground = await openGround({ isEmpty: true })
  const restored = await restoreBackup(ground.pool, ground.config.dataDir, file)
  expect(restored.tables).toBeGreaterThan(10)
  const other = await openWorld(ground)
  await expect
    .poll(
      () =>
        other.get<{ eventCount: number }>('/api/v1/profiles/user_id:ada').then(
          row => row.eventCount,
          () => 0,
        ),
      { timeout: 15_000 },
    )
    .toBe(3)
  await other.settled()
  expect(await answers(other)).toEqual(before)
  await other.send({ type: 'track', messageId: 'b3', userId: 'grace', event: 'Page' })
  expect(await other.get('/api/v1/accounting')).toMatchObject({ stored: 3, deduplicated: 1 })
  await other.close()
})

const fails = async (path: string, ground: Ground) => {
  const outcome = await restoreBackup(ground.pool, ground.config.dataDir, path).then(
    () => 'restored',
    (error: Error) => error.message,
  )
  await ground.remove()
  return outcome
}

it('refuses a database that is in use', async () => {
  expect(await fails(file, await openGround())).toMatch(/in use already/)
})

it('notices a file that was cut short, and one that is no backup', async () => {
  const bytes = readFileSync(file)
  const cut = join(folder, 'cut')
  writeFileSync(cut, bytes.subarray(0, bytes.length - 200))
  expect(await fails(cut, await openGround({ isEmpty: true }))).toMatch(/cannot be restored/)
  const other = join(folder, 'other')
  writeFileSync(other, 'hello')
  expect(await fails(other, await openGround({ isEmpty: true }))).toMatch(/cannot be restored/)
})
