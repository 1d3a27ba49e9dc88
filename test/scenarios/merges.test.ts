import { afterAll, beforeAll, expect, it } from 'vitest'
import { openWorld, type World } from '../world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

const at = (n: number) => new Date(Date.UTC(2026, 2, 1, 12, n)).toISOString()
const path = (reference: string, rest = '') => `/api/v1/profiles/${encodeURIComponent(reference)}${rest}`
const read = (reference: string) => world.get<{ id: string; traits: object; eventCount: number }>(path(reference))
const identity = (reference: string) =>
  world.get<{
    links: object[]
    refusals: { rule: string }[]
    merges: { id: string; undoneAt: string | null }[]
    splits: { id: string; undoneAt: string | null }[]
  }>(path(reference, '/identity'))

/** Everything that the API says of these people. */
async function state() {
  const references = [
    'user_id:g1',
    'user_id:g2',
    'email:grace@work.example.com',
    'anonymous_id:laptop',
    'anonymous_id:phone',
  ]
  const profiles = await Promise.all(references.map(read))
  const events = await Promise.all(
    references.map(reference => world.get<{ data: { messageId: string }[] }>(path(reference, '/events?limit=100'))),
  )
  const people = await world.get<{ data: { id: string; traits: object }[] }>('/api/v1/profiles')
  return {
    profiles,
    events,
    people: people.data.map(({ id, traits }) => ({ id, traits })).sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

it('two logins of Grace become one by a merge, and two again by its undo, also with events in between', async () => {
  await world.send(
    {
      type: 'identify',
      messageId: 'm1',
      userId: 'g1',
      anonymousId: 'laptop',
      traits: { email: 'grace@example.com', plan: 'free' },
      timestamp: at(1),
    },
    {
      type: 'identify',
      messageId: 'm2',
      userId: 'g2',
      anonymousId: 'phone',
      traits: { email: 'grace@work.example.com', plan: 'pro' },
      timestamp: at(2),
    },
    { type: 'track', messageId: 'm3', anonymousId: 'laptop', event: 'Page', timestamp: at(3) },
  )
  const before = await state()

  const merge = await world.request('POST', path('user_id:g1', '/merges'), { with: (await read('user_id:g2')).id })
  expect(merge.status).toBe(201)
  const { id, profileId } = merge.body as { id: string; profileId: string }
  const one = await read('user_id:g1')
  expect(one.id).toBe(profileId)
  expect((await read('email:grace@work.example.com')).id).toBe(one.id)
  expect(one).toMatchObject({ eventCount: 3, traits: { plan: 'pro' } })
  expect((await identity('user_id:g2')).merges).toMatchObject([{ id, undoneAt: null }])

  const undone = await world.request('DELETE', path(one.id, `/merges/${id}`))
  expect(undone.status).toBe(204)
  expect(await state()).toEqual(before)

  const again = await world.request('POST', path('user_id:g1', '/merges'), { with: 'user_id:g2' })
  await world.send({ type: 'track', messageId: 'm4', anonymousId: 'phone', event: 'Page', timestamp: at(4) })
  expect((await read('user_id:g1')).eventCount).toBe(4)
  await world.request('DELETE', path('user_id:g1', `/merges/${(again.body as { id: string }).id}`))
  expect((await read('user_id:g1')).eventCount).toBe(2)
  expect((await read('user_id:g2')).eventCount).toBe(2)
  expect(
    (await world.request('DELETE', path('user_id:g1', `/merges/${(again.body as { id: string }).id}`))).status,
  ).toBe(409)
})

it('a device that was moved out stays out, whatever later events show, until the split is taken back', async () => {
  const before = await state()
  const split = await world.request('POST', path('user_id:g1', '/splits'), {
    identifiers: [{ namespace: 'anonymous_id', value: 'laptop' }],
  })
  expect(split.status).toBe(201)
  expect((await read('anonymous_id:laptop')).id).not.toBe((await read('user_id:g1')).id)
  await world.send({
    type: 'track',
    messageId: 's1',
    userId: 'g1',
    anonymousId: 'laptop',
    event: 'Page',
    timestamp: at(9),
  })
  expect((await read('anonymous_id:laptop')).id).not.toBe((await read('user_id:g1')).id)
  expect((await identity('anonymous_id:laptop')).splits.length).toBe(1)

  const { id } = split.body as { id: string }
  expect((await world.request('DELETE', path('anonymous_id:laptop', `/splits/${id}`))).status).toBe(204)
  const after = await state()
  expect(after.profiles[0]?.eventCount).toBe((before.profiles[0]?.eventCount ?? 0) + 1)
  expect(after.profiles.map(profile => profile.id)).toEqual(before.profiles.map(profile => profile.id))
})

it('an e-mail address that a second person brings stays with the first, and the refusal names its rule', async () => {
  await world.send({
    type: 'identify',
    messageId: 'e1',
    userId: 'tom',
    traits: { email: 'grace@example.com' },
    timestamp: at(20),
  })
  expect((await read('user_id:tom')).id).not.toBe((await read('user_id:g1')).id)
  expect((await identity('user_id:tom')).refusals).toMatchObject([{ rule: 'holder', a: { namespace: 'email' } }])
  expect((await read('user_id:tom')).traits).toEqual({ email: 'grace@example.com' })
})

it('answers what makes no sense with a sentence', async () => {
  const same = await world.request('POST', path('user_id:tom', '/merges'), { with: 'user_id:tom' })
  expect(same).toMatchObject({ status: 422, body: { detail: 'These are one profile already.' } })
  const foreign = await world.request('POST', path('user_id:tom', '/splits'), {
    identifiers: [{ namespace: 'email', value: 'other@example.com' }],
  })
  expect(foreign).toMatchObject({ status: 422, body: { detail: 'An identifier does not belong to this profile.' } })
  expect((await world.request('POST', path('user_id:tom', '/merges'), { with: 'user_id:nobody' })).status).toBe(404)
})
