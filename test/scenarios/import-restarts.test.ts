/**
 * However often a run is interrupted, orderly or not, the log and the rejected rows end up as after one run. A killed
 * process is played by taking its progress back: what it had accepted and written stands, what it remembers of it does not.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../../src/context.ts'
import { Problem } from '../../src/errors.ts'
import { type Accepter, openAccepter } from '../../src/events/accept.ts'
import { decodeGroup } from '../../src/events/log-group.ts'
import type { ImportRow } from '../../src/imports/import.ts'
import { importJobs } from '../../src/imports/jobs.ts'
import { runImport } from '../../src/imports/run.ts'
import { claimImport, findImport, insertImport, queueImport, setFile } from '../../src/imports/store.ts'
import type { Event } from '../../src/spec/event.ts'
import type { Postgres } from '../../src/store/postgres.ts'
import { freshPostgres } from '../engines.ts'

const WORKSPACE = 1
const ROWS = 7_000
const START = Date.UTC(2026, 2, 1)

let database: Awaited<ReturnType<typeof freshPostgres>>
let pool: Postgres
let accepter: Accepter
let dataDir: string
const log = pino({ level: 'silent' })
beforeAll(async () => {
  database = await freshPostgres()
  pool = database.pool
  await pool.query(
    `insert into workspaces.workspace (slug, name, identity_key, created_at) values ('northwind', 'Northwind', '\\x00', now())`,
  )
  accepter = openAccepter({ now: () => Date.now(), log }, database.connection, () => {})
  dataDir = mkdtempSync(join(tmpdir(), 'tl-restarts-'))
})
afterAll(async () => {
  await accepter?.close()
  await database?.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Rows of three kinds: a person, an unusable date, and one that the mapping leaves out. */
const text = `id,born,kind\n${Array.from({ length: ROWS }, (_, n) => {
  const born = n % 97 === 5 ? 'in spring' : '1990-02-03'
  return `${n},${born},${n % 211 === 3 ? 'test' : 'person'}`
}).join('\n')}\n`
const mapping = {
  name: 'restarts',
  kind: 'people',
  when: { column: 'kind', equals: 'person' },
  userId: '{id}',
  traits: { birthday: { column: 'born', type: 'date' } },
}

const contextOf = (accept: Context['accepter']['accept']): Context =>
  ({
    config: { dataDir },
    now: () => Date.now(),
    uuid: () => randomUUID(),
    postgres: pool,
    log,
    accepter: { accept },
  }) as unknown as Context

/** An import of the file, queued, on an empty log. */
async function begin(): Promise<string> {
  await pool.query('truncate events.log, events.dedupe, events.accounting, imports.import')
  const id = randomUUID()
  const at = new Date(START)
  await insertImport(pool, WORKSPACE, { id, name: 'restarts', source: 'file', mapping, createdBy: null, at })
  mkdirSync(join(dataDir, 'imports', id), { recursive: true })
  writeFileSync(join(dataDir, 'imports', id, 'file'), text)
  await setFile(pool, WORKSPACE, id, { name: 'restarts.csv', bytes: text.length })
  await queueImport(pool, WORKSPACE, id, { at, source: 'file', isAfresh: false })
  return id
}

interface Cut {
  /** The process ends when so many batches were accepted. */
  batches: number
  how: 'terminated' | 'killed'
  /** Submissions that the log refuses for the moment, before each that it takes. */
  overloads: number
}

async function runOnce(id: string, cut?: Cut): Promise<void> {
  const controller = new AbortController()
  const row = (await claimImport(pool, [id], new Date(START))) as ImportRow
  const before = (await pool.query('select * from imports.import where id = $1', [id])).rows[0]
  let accepted = 0
  let refused = 0
  const context = contextOf(async submission => {
    if (cut && refused < cut.overloads && accepted > 0) {
      refused += 1
      throw new Problem('overloaded', 'Not now.')
    }
    const acceptance = await accepter.accept(submission)
    accepted += 1
    if (accepted === cut?.batches) controller.abort()
    return acceptance
  })
  await runImport(context, row, controller.signal)
  if (cut?.how !== 'killed') return
  await pool.query(
    `update imports.import
     set (state, checkpoint, rejects_bytes, rows, events, stored, deduplicated, rejected, rejected_by_reason)
       = ($2, $3, $4, $5, $6, $7, $8, $9, $10)
     where id = $1`,
    [
      id,
      'running',
      JSON.stringify(before.checkpoint),
      before.rejects_bytes,
      before.rows,
      before.events,
      before.stored,
      before.deduplicated,
      before.rejected,
      JSON.stringify(before.rejected_by_reason),
    ],
  )
}

/** All that an import leaves behind, but for when its events were received. */
async function outcomeOf(id: string) {
  const { rows } = await pool.query<{ body: Buffer }>('select body from events.log where workspace_id = $1', [
    WORKSPACE,
  ])
  const lines = (await Promise.all(rows.map(row => decodeGroup(row.body)))).flat()
  const events = lines.map(line => {
    const { receivedAt: _, ...event } = JSON.parse(line) as Event
    return JSON.stringify(event)
  })
  const row = (await findImport(pool, WORKSPACE, id)) as ImportRow
  return {
    events: events.sort(),
    rejects: readFileSync(join(dataDir, 'imports', id, 'rejects.csv'), 'utf8'),
    state: row.state,
    counts: [row.rows, row.events, row.stored + row.deduplicated, row.rejected],
    rejectedByReason: row.rejectedByReason,
  }
}

test('any split of a run by restarts gives the same result as one run', async () => {
  const whole = await begin()
  await runOnce(whole)
  const expected = await outcomeOf(whole)
  expect(expected.state).toBe('done')
  expect(expected.counts[0]).toBe(ROWS)
  expect(expected.events).toHaveLength(expected.counts[1] as number)
  expect((expected.counts[1] as number) + (expected.counts[3] as number)).toBe(ROWS)

  const cut = fc.record<Cut>({
    batches: fc.integer({ min: 1, max: 4 }),
    how: fc.constantFrom('terminated', 'killed'),
    overloads: fc.integer({ min: 0, max: 1 }),
  })
  const isShort = process.env.THROUGHLINE_RUNS === undefined
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 4 }), async cuts => {
      const id = await begin()
      for (const each of cuts) {
        const { state } = (await findImport(pool, WORKSPACE, id)) as ImportRow
        if (state !== 'done') await runOnce(id, each)
      }
      const { state } = (await findImport(pool, WORKSPACE, id)) as ImportRow
      if (state !== 'done') await runOnce(id)
      expect(await outcomeOf(id)).toEqual(expected)
      const { rows } = await pool.query<{ sum: number }>(
        `select coalesce(sum(events), 0)::bigint as sum from events.accounting where outcome = 'stored'`,
      )
      expect(rows[0]?.sum).toBe(expected.events.length)
    }),
    { numRuns: isShort ? 8 : 100 },
  )
}, 120_000)

test('a run that another process has taken over writes nothing more', async () => {
  const id = await begin()
  const first = (await claimImport(pool, [id], new Date(START))) as ImportRow
  let isTaken = false
  const slow = contextOf(async submission => {
    const isFirst = !isTaken
    isTaken = true
    if (isFirst) await claimImport(pool, [id], new Date(START))
    return accepter.accept(submission)
  })
  await runImport(slow, first, new AbortController().signal)
  expect(await findImport(pool, WORKSPACE, id)).toMatchObject({ state: 'running', attempt: 2, rows: 0 })
})

test('a file that is gone ends the import with a reason, not the job', async () => {
  const id = await begin()
  rmSync(join(dataDir, 'imports', id), { recursive: true })
  await runOnce(id)
  expect(await findImport(pool, WORKSPACE, id)).toMatchObject({ state: 'failed', errorCode: 'file_missing' })
})

test('the file of an import goes a week after its end, its rejected rows after 90 days, what is in no workspace at once', async () => {
  const id = await begin()
  await runOnce(id)
  const orphan = randomUUID()
  mkdirSync(join(dataDir, 'imports', orphan))
  const files = () => readdirSync(join(dataDir, 'imports', id)).sort()
  const expireAfter = async (days: number) => {
    const later = { ...contextOf(accepter.accept), now: () => Date.now() + days * 24 * 60 * 60 * 1000 }
    const job = importJobs(later).find(({ name }) => name === 'imports.expire-files')
    await job?.run(new AbortController().signal)
  }
  await expireAfter(6)
  expect(files()).toEqual(['file', 'rejects.csv'])
  expect(() => readdirSync(join(dataDir, 'imports', orphan))).toThrow(/ENOENT/)
  await expireAfter(8)
  expect(files()).toEqual(['rejects.csv'])
  expect(await findImport(pool, WORKSPACE, id)).toMatchObject({ state: 'done', isFileRemoved: true, rows: ROWS })
  await expireAfter(91)
  expect(files).toThrow(/ENOENT/)
})
