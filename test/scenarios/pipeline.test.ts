import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { personOf } from '../../src/identity/index.ts'
import { openWorld, type World } from '../world.ts'

interface Profile {
  id: string
  traits: Record<string, unknown>
  provenance: Record<string, { source: string; messageId: string; overruled: { value: unknown }[] }>
  identifiers: { namespace: string; value: string }[]
  eventCount: number
}
interface Page {
  data: { messageId: string; event: string | null; userId: string | null; anonymousId: string | null }[]
  nextCursor: string | null
}

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

const minute = (n: number) => new Date(Date.UTC(2026, 2, 1, 12, n)).toISOString()
const track = (id: string, event: string, at: string, who: object, more: object = {}) => ({
  type: 'track',
  messageId: id,
  event,
  timestamp: at,
  ...who,
  ...more,
})
const identify = (id: string, at: string, who: object, traits: object) => ({
  type: 'identify',
  messageId: id,
  timestamp: at,
  traits,
  ...who,
})
const profile = (reference: string) => world.get<Profile>(`/api/v1/profiles/${encodeURIComponent(reference)}`)
const timeline = async (reference: string) =>
  (await world.get<Page>(`/api/v1/profiles/${encodeURIComponent(reference)}/events?limit=200`)).data.map(
    event => event.messageId,
  )

describe('Ada, anonymous and then known', () => {
  beforeAll(() =>
    world.send(
      track('a1', 'Product Viewed', minute(1), { anonymousId: 'ada-phone' }),
      track('a2', 'Product Added', minute(2), { anonymousId: 'ada-phone' }),
      identify(
        'a3',
        minute(3),
        { userId: 'ada', anonymousId: 'ada-phone' },
        { email: 'Ada@Example.com', plan: 'free' },
      ),
      identify('a4', minute(9), { userId: 'ada' }, { plan: 'pro' }),
    ),
  )

  it('is one person with one timeline, newest first, under any of her identifiers', async () => {
    for (const reference of ['user_id:ada', 'email:ada@example.com', 'anonymous_id:ada-phone']) {
      expect(await timeline(reference)).toEqual(['a4', 'a3', 'a2', 'a1'])
    }
    const { id } = await profile('user_id:ada')
    expect((await profile(id)).eventCount).toBe(4)
  })

  it('has traits that say where they came from and what they overruled', async () => {
    const { traits, provenance } = await profile('user_id:ada')
    expect(traits).toEqual({ email: 'Ada@Example.com', plan: 'pro' })
    expect(provenance.plan).toMatchObject({ source: 'website', messageId: 'a4', overruled: [{ value: 'free' }] })
  })

  it('does not take an older value that arrives later', async () => {
    await world.send(identify('a5', minute(4), { userId: 'ada' }, { plan: 'trial' }))
    expect((await profile('user_id:ada')).traits.plan).toBe('pro')
  })

  it('is found by a fragment of her address and leads to the same id as before she was known', async () => {
    const found = await world.get<{ data: { id: string }[] }>('/api/v1/profiles?search=xample')
    expect(found.data.map(row => row.id)).toContain((await profile('anonymous_id:ada-phone')).id)
  })
})

describe('a tablet that Grace shares with Tom', () => {
  it('gives each event to the login of its time, and those before the first login to the first', async () => {
    const tablet = { anonymousId: 'tablet' }
    await world.send(
      track('t1', 'Page', minute(1), tablet),
      identify('t2', minute(2), { userId: 'grace', ...tablet }, { email: 'grace@example.com' }),
      track('t3', 'Page', minute(3), tablet),
    )
    await world.send(
      identify('t4', minute(4), { userId: 'tom', ...tablet }, { email: 'tom@example.com' }),
      track('t5', 'Page', minute(5), tablet),
    )
    expect(await timeline('user_id:grace')).toEqual(['t3', 't2', 't1'])
    expect(await timeline('user_id:tom')).toEqual(['t5', 't4'])
    expect((await profile('user_id:grace')).eventCount).toBe(3)
  })

  it('moves events when a login of an earlier time arrives late', async () => {
    await world.send(identify('t6', minute(0), { userId: 'ann', anonymousId: 'tablet' }, {}))
    expect(await timeline('user_id:ann')).toEqual(['t1', 't6'])
    expect(await timeline('user_id:grace')).toEqual(['t3', 't2'])
  })

  it('gives every event the same person in ClickHouse as in TypeScript', async () => {
    const { clickhouse, postgres } = world.running.context
    const rows = await clickhouse.query<{ message_id: string; person: number }>(
      `select message_id, ${personOf('node', 'timestamp')} as person from events where workspace_id = 1`,
    )
    const { rows: nodes } = await postgres.query<{ id: number; public_id: string; namespace: string; value: string }>(
      'select id, public_id, namespace, value from identity.node',
    )
    const keyOf = new Map(nodes.map(node => [node.id, `${node.namespace}:${node.value}`]))
    for (const row of rows) {
      const owner = keyOf.get(row.person)
      expect(await timeline(owner as string)).toContain(row.message_id)
    }
    expect(rows.length).toBe(11)
  })
})

it('keeps every event under its group, and the company with its traits', async () => {
  await world.send(
    { type: 'group', messageId: 'g1', userId: 'ada', groupId: 'acme', traits: { name: 'Acme' }, timestamp: minute(20) },
    track('g2', 'Quote Requested', minute(21), { userId: 'ada' }, { context: { groupId: 'acme' } }),
  )
  expect((await profile('group_id:acme')).traits).toEqual({ name: 'Acme' })
  expect(await timeline('group_id:acme')).toEqual(['g2', 'g1'])
})

it('counts what was sent', async () => {
  await world.send(track('a1', 'Product Viewed', minute(1), { anonymousId: 'ada-phone' }), {
    type: 'track',
    event: 'Nobody',
    messageId: 'r1',
  })
  expect(await world.get('/api/v1/accounting')).toEqual({
    sent: 15,
    stored: 13,
    rejected: 1,
    deduplicated: 1,
    rejectedByReason: { missing_identifier: 1 },
  })
})

it('answers the same after a restart, and the same after everything was rebuilt from the log', async () => {
  const before = await everything()
  await world.restart()
  expect(await everything()).toEqual(before)
  const rebuild = await world.request('POST', '/api/v1/rebuilds')
  expect(rebuild.status).toBe(202)
  const { id } = rebuild.body as { id: string }
  await expect
    .poll(() => world.get<{ finishedAt: string | null }>(`/api/v1/rebuilds/${id}`).then(row => row.finishedAt), {
      timeout: 20_000,
    })
    .not.toBeNull()
  await world.settled()
  expect(await everything()).toEqual(before)
})

async function everything() {
  const references = [
    'user_id:ada',
    'user_id:grace',
    'user_id:tom',
    'user_id:ann',
    'group_id:acme',
    'anonymous_id:tablet',
  ]
  const people = await world.get<{ data: { id: string }[] }>('/api/v1/profiles')
  return {
    // Lists learn in the background when people were last seen: their order may lag by seconds.
    ids: people.data.map(row => row.id).sort(),
    profiles: await Promise.all(references.map(profile)),
    timelines: await Promise.all(references.map(timeline)),
  }
}
