import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { archiveOldestDay } from '../../src/events/archive.ts'
import { archiveFolder, listArchive } from '../../src/events/index.ts'
import { rebuildIdentity, TooManyIdentifiers } from '../../src/identity/index.ts'
import { defaultIdentityRules } from '../../src/spec/identifier.ts'
import type { ClickHouse } from '../../src/store/clickhouse.ts'
import { apply, finished, ROOT, type RulesApplication, request, withNamespace } from '../apply-rules.ts'
import { personsOf, stateOf } from '../identity-state.ts'
import { history } from '../rules-history.ts'
import { defaultWorkspaceOf, openWorkspace, type Workspace } from '../workspace.ts'
import { openWorld, type World } from '../world.ts'

const lowerCase = withNamespace('user_id', { normaliser: 'lower' })
const withoutShop = withNamespace('email', { blockedValues: ['shop@example.com'] })

let world: World
let northwind: Workspace
beforeAll(async () => {
  world = await openWorld()
  northwind = defaultWorkspaceOf(world)
  await world.send(...history)
})
afterAll(() => world.close())
afterEach(() => apply(northwind, defaultIdentityRules))

const state = () => stateOf(northwind, { withIds: true })

async function rebuild() {
  const { id } = (await northwind.request('POST', '/api/v1/rebuilds')).body as { id: string }
  const read = () => northwind.get<{ finishedAt: string | null }>(`/api/v1/rebuilds/${id}`)
  await expect.poll(() => read().then(row => row.finishedAt), { timeout: 60_000 }).not.toBeNull()
  await world.settled()
}

async function expectOnePersonAnEvent(events: number) {
  const { inClickHouse, inTimelines } = await personsOf(world, northwind)
  expect(inTimelines).toEqual(inClickHouse)
  expect(inClickHouse).toHaveLength(events)
}

const page = (id: string, who: object) => ({ type: 'track', event: 'Page', messageId: id, ...who })

describe('applying rules', { timeout: 90_000 }, () => {
  it('leaves what a rebuild of everything would leave', async () => {
    await apply(northwind, lowerCase)
    const applied = await state()
    await rebuild()
    expect(await state()).toEqual(applied)
    await expectOnePersonAnEvent(history.length)
  })

  it('keeps what operators decided, under the new form of the identifiers too, and its undo', async () => {
    const merge = await northwind.request('POST', '/api/v1/profiles/user_id:Ada/merges', { with: 'user_id:henry' })
    expect(merge.status).toBe(201)
    await apply(northwind, lowerCase)
    const profile = await northwind.get<{ id: string; identifiers: object[] }>('/api/v1/profiles/user_id:ada')
    expect(profile.identifiers).toContainEqual({ namespace: 'user_id', value: 'henry' })
    await world.send(page('after-merge', { userId: 'HENRY' }))
    expect(await northwind.get('/api/v1/profiles/user_id:henry')).toMatchObject({ id: profile.id })
    const merged = await state()
    await rebuild()
    expect(await state()).toEqual(merged)

    const { id } = merge.body as { id: string }
    expect((await northwind.request('DELETE', `/api/v1/profiles/user_id:henry/merges/${id}`)).status).toBe(204)
    expect(await northwind.get('/api/v1/profiles/user_id:henry')).not.toMatchObject({ id: profile.id })
  })

  it('loses no event that is sent meanwhile; all end under the new rules', async () => {
    const id = await request(northwind, lowerCase)
    const sent: Promise<void>[] = []
    for (let n = 0; n < 60; n += 1) sent.push(northwind.send(page(`meanwhile-${n}`, { userId: n % 2 ? 'Ada' : 'ada' })))
    await Promise.all(sent)
    expect(await finished(northwind, id)).toMatchObject({ state: 'done' })
    await world.settled()
    const { data } = await northwind.get<{ data: { messageId: string }[] }>(
      '/api/v1/profiles/user_id:ada/events?event=Page&limit=200',
    )
    expect(data.filter(event => event.messageId.startsWith('meanwhile'))).toHaveLength(60)
    await expectOnePersonAnEvent(history.length + 61)
  })

  it('goes on after a restart as if nothing had been', async () => {
    const before = await state()
    const id = await request(northwind, withoutShop)
    await world.restart()
    expect(await finished(northwind, id)).toMatchObject({ state: 'done' })
    const after = await state()
    expect(after).not.toEqual(before)
    expect(Object.keys(after).filter(key => key.includes('shop@'))).toEqual([])
  })

  it.each(['insert into events', 'delete from events', 'insert into node_profile '])(
    'tells ClickHouse once more when that was cut off at: %s',
    async statement => {
      const cut = cutOffOnce(world.running.context.clickhouse, statement)
      const application = await apply(northwind, lowerCase)
      expect(application).toMatchObject({ state: 'done' })
      expect(cut.isDone()).toBe(true)
      await expectOnePersonAnEvent(history.length + 61)
    },
  )

  it('reads archived days too, and fails with a reason when one is damaged: the old rules stay in force', async () => {
    const { postgres, config } = world.running.context
    await postgres.query(`select events.ensure_log_partition((now() - interval '20 days')::date)`)
    await postgres.query(`update events.log set received_at = now() - interval '20 days'`)
    const today = new Date().toISOString().slice(0, 10)
    const folder = archiveFolder(config.dataDir)
    expect(await archiveOldestDay(postgres, folder, today)).toBeDefined()
    await world.send(page('after-archive', { userId: 'Ada' }))
    await apply(northwind, lowerCase)
    await expectOnePersonAnEvent(history.length + 62)
    await apply(northwind, defaultIdentityRules)

    const before = await state()
    const file = (await listArchive(folder)).find(one => one.manifest.workspaceId === 1)?.path ?? ''
    const whole = readFileSync(file)
    writeFileSync(file, whole.subarray(0, whole.length - 9))
    const failed = await apply(northwind, lowerCase)
    expect(failed).toMatchObject({ state: 'failed', version: null, failure: { code: 'archive_damaged' } })
    expect(failed.failure?.message).toMatch(/backup/)
    expect(await state()).toEqual(before)
    await world.send(page('goes-on', { userId: 'Ada' }))
    writeFileSync(file, whole)
    expect(await apply(northwind, lowerCase)).toMatchObject({ state: 'done' })
  })

  it('stops where there is more than memory holds', async () => {
    async function* batches() {
      for (const userId of ['a', 'b', 'c']) {
        const identifiers = [{ namespace: 'user_id', value: userId }]
        yield [{ messageId: userId, at: 1, type: 'track' as const, source: 'web', identifiers }]
      }
    }
    const options = { workspaceId: 1, identityKey: Buffer.alloc(32), rules: defaultIdentityRules, identifiersMax: 1 }
    await expect(rebuildIdentity(world.running.context.postgres, options, batches)).rejects.toThrow(TooManyIdentifiers)
  })
})

describe('the rules of a workspace', { timeout: 90_000 }, () => {
  it('are the defaults until they are changed; each change is a version', async () => {
    const fresh = await openWorkspace(world, 'Southwind')
    expect(await fresh.get(ROOT)).toMatchObject({ version: 0, createdBy: null })
    expect(await apply(fresh, lowerCase)).toMatchObject({ version: 1, changedProfiles: 0 })
    await apply(fresh, withoutShop)
    const { data } = await fresh.get<{ data: { version: number }[] }>(`${ROOT}/versions`)
    expect(data.map(row => row.version)).toEqual([2, 1])
    expect(await fresh.get(ROOT)).toMatchObject({
      version: 2,
      rules: { namespaces: { email: withoutShop.namespaces.email } },
    })
    const applications = await fresh.get<{ data: object[] }>(`${ROOT}/applications?limit=1`)
    expect(applications).toMatchObject({ data: [{ version: 2 }], nextCursor: expect.any(String) })
  })

  it('are tried one at a time', async () => {
    const tries = [1, 2].map(() => northwind.request('POST', `${ROOT}/evaluations`, { rules: lowerCase }))
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    expect(statuses.sort()).toEqual([201, 429])
    expect((await northwind.request('POST', `${ROOT}/evaluations`, { rules: lowerCase })).status).toBe(201)
  })

  it('are nothing to other workspaces', async () => {
    const before = await state()
    const other = await openWorkspace(world, 'Eastwind')
    await other.send(...history)
    await world.settled()
    const { id } = await apply(other, withNamespace('email', { limit: 1 }))
    expect(await state()).toEqual(before)
    expect((await northwind.request('GET', `${ROOT}/applications/${id}`)).status).toBe(404)
    const evaluation = await other.request('POST', `${ROOT}/evaluations`, { rules: defaultIdentityRules })
    expect(evaluation).toMatchObject({ status: 201, body: { merged: 4, split: 0 } })
  })

  it('come from admins; editors may try them, viewers read them', async () => {
    const rules = { rules: defaultIdentityRules }
    for (const [role, may] of [
      ['viewer', { GET: 200, POST: 403, PUT: 403, DELETE: 403 }],
      ['editor', { GET: 200, POST: 201, PUT: 403, DELETE: 403 }],
    ] as const) {
      const { key } = await world.client.request('POST /api/v1/api-keys', { body: { name: role, role } })
      const status = async (method: string, path: string, body?: object) => {
        const headers = { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) }
        const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
        return (await fetch(world.running.url + path, init)).status
      }
      expect({
        GET: await status('GET', ROOT),
        POST: await status('POST', `${ROOT}/evaluations`, rules),
        PUT: await status('PUT', ROOT, defaultIdentityRules),
        DELETE: await status('DELETE', ROOT),
      }).toEqual(may)
    }
  })

  it('are refused with a fault for each field', async () => {
    const { status, body } = await northwind.request('PUT', ROOT, {
      ...defaultIdentityRules,
      crowd: 0,
      namespaces: {
        ...defaultIdentityRules.namespaces,
        email: { class: 'contact', priority: 2, blockedPatterns: ['('] },
      },
    })
    expect(status).toBe(400)
    const paths = (body as { faults: { path: string }[] }).faults.map(fault => fault.path).join(' ')
    expect(paths).toMatch(/crowd/)
    expect(paths).toMatch(/namespaces\.email\.blockedPatterns/)
  })

  it('change namespace by namespace', async () => {
    const fresh = await openWorkspace(world, 'Westwind')
    const path = `${ROOT}/namespaces/member_no`
    expect((await fresh.request('GET', path)).status).toBe(404)
    const put = await fresh.request('PUT', path, { class: 'contact', priority: 20, keys: ['member_no'] })
    expect(put.status).toBe(202)
    await finished(fresh, (put.body as RulesApplication).id)
    expect(await fresh.get(path)).toMatchObject({ class: 'contact', keys: ['member_no'], holder: 'first' })
    expect((await fresh.request('PUT', path, { class: 'login', priority: 1 })).body).toMatchObject({
      status: 400,
      faults: [{ path: 'namespaces', message: 'Exactly one namespace is the login.' }],
    })
    const gone = await fresh.request('DELETE', path)
    await finished(fresh, (gone.body as RulesApplication).id)
    expect((await fresh.request('GET', path)).status).toBe(404)
    expect((await fresh.request('DELETE', `${ROOT}/namespaces/user_id`)).status).toBe(400)
  })

  it('are asked for once when asked for twice; others meanwhile are a conflict', async () => {
    // Nothing is applied while somebody moves days of the log.
    const client = await world.running.context.postgres.connect()
    await client.query('select pg_advisory_lock(7072)')
    const id = await request(northwind, lowerCase)
    expect(await request(northwind, lowerCase)).toBe(id)
    expect((await northwind.request('PUT', ROOT, withoutShop)).status).toBe(409)
    const dryRun = await northwind.request('POST', `${ROOT}/evaluations`, { rules: lowerCase })
    expect(dryRun.status).toBe(503)
    await client.query('select pg_advisory_unlock(7072)')
    client.release()
    expect(await finished(northwind, id)).toMatchObject<Partial<RulesApplication>>({ state: 'done' })
  })
})

/** The first statement that begins so fails, as when the process had ended there. */
function cutOffOnce(clickhouse: ClickHouse, statement: string) {
  const { command } = clickhouse
  let isDone = false
  clickhouse.command = async (sql, params) => {
    if (isDone || !sql.trim().startsWith(statement)) return command(sql, params)
    isDone = true
    clickhouse.command = command
    throw new Error('cut off')
  }
  return { isDone: () => isDone }
}
