/** The live view over real HTTP: what arrives, as it is processed, with whose it is. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { follow } from '../../src/events/index.ts'
import { openStream } from '../../src/profiles/stream.ts'
import { createSource } from '../../src/sources/index.ts'
import { openPostgres, type Postgres } from '../../src/store/postgres.ts'
import { createWorkspace } from '../../src/workspaces/index.ts'
import { API_KEY, openWorld, type World, WRITE_KEY } from '../world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

interface Message {
  name: string
  data: Record<string, unknown>
}
const listening = new Set<AbortController>()
afterEach(() => {
  for (const controller of listening) controller.abort()
  listening.clear()
})

/** A listener, once the server listens for it. */
async function listen(query = '') {
  const controller = new AbortController()
  listening.add(controller)
  const response = await fetch(`${world.running.url}/api/v1/stream${query}`, {
    headers: { authorization: `Bearer ${API_KEY}` },
    signal: controller.signal,
  })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
  const messages: Message[] = []
  let text = ''
  /** False when the stream has ended. */
  async function read(): Promise<boolean> {
    const { done, value } = await reader.read()
    if (done) return false
    const parts = (text + value).split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? []
      if (name !== undefined) messages.push({ name, data: JSON.parse(data ?? '') as Message['data'] })
    }
    return true
  }
  await read()
  return {
    messages,
    read,
    async until(isEnough: (messages: Message[]) => boolean): Promise<Message[]> {
      while (!isEnough(messages)) if (!(await read())) throw new Error('the stream ended')
      return messages
    },
  }
}

const hasEvent = (event: string) => (messages: Message[]) => messages.some(({ data }) => data.event === event)
const send = (path: string, body: object, writeKey = WRITE_KEY) =>
  fetch(`${world.running.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${writeKey}:`)}` },
    body: JSON.stringify(body),
  })

describe('a listener', () => {
  it('hears the end when the server stops', async () => {
    const listener = await listen()
    await world.restart()
    while (await listener.read());
    expect(listener.messages).toEqual([])
  })

  it('sees an event within a second of sending it, with the profile that it belongs to', async () => {
    const listener = await listen()
    const began = performance.now()
    const context = { library: { name: 'northwind' } }
    await send('/v1/identify', { userId: 'ada', messageId: 's1', traits: { email: 'ada@example.com' } })
    await send('/v1/track', {
      anonymousId: 'ada-phone',
      userId: 'ada',
      event: 'Order Completed',
      properties: { total: 9 },
      context,
    })
    const messages = await listener.until(hasEvent('Order Completed'))
    expect(performance.now() - began).toBeLessThan(1_000)
    const { id } = await world.get<{ id: string }>('/api/v1/profiles/user_id:ada')
    const [identify, order] = messages
    expect(identify).toMatchObject({ name: 'processed', data: { messageId: 's1', type: 'identify', profileId: id } })
    expect(order?.data).toEqual({
      messageId: expect.any(String),
      type: 'track',
      event: 'Order Completed',
      name: null,
      source: 'website',
      userId: 'ada',
      anonymousId: 'ada-phone',
      groupId: null,
      timestamp: expect.stringMatching(/Z$/),
      originalTimestamp: null,
      receivedAt: expect.stringMatching(/Z$/),
      profileId: id,
      properties: { total: 9 },
      traits: {},
      context,
    })
  })

  it('sees whose a device was, and nobody where nobody is known', async () => {
    const listener = await listen()
    await send('/v1/track', { anonymousId: 'ada-phone', event: 'Back Again' })
    const { id } = await world.get<{ id: string }>('/api/v1/profiles/user_id:ada')
    const [back] = await listener.until(hasEvent('Back Again'))
    expect(back?.data.profileId).toBe(id)
    await send('/v1/track', { anonymousId: 'a-stranger', event: 'Nobody Known' })
    const stranger = (await listener.until(hasEvent('Nobody Known'))).at(-1)
    expect(stranger?.data.profileId).toMatch(/^p_/)
    expect(stranger?.data.profileId).not.toBe(id)
    await send('/v1/track', { anonymousId: 'null', event: 'Blocked' })
    expect((await listener.until(hasEvent('Blocked'))).at(-1)?.data.profileId).toBeNull()
  })

  it('sees on a shared device the owner of the event’s time', async () => {
    const at = (hour: number) => `2026-03-01T${String(hour).padStart(2, '0')}:00:00.000Z`
    const device = { anonymousId: 'kitchen-tablet' }
    await world.send(
      { type: 'identify', userId: 'grace', ...device, timestamp: at(8) },
      { type: 'identify', userId: 'heidi', ...device, timestamp: at(12) },
    )
    const listener = await listen('?event=Tablet')
    await send('/v1/batch', {
      batch: [9, 13].map(hour => ({ type: 'track', event: 'Tablet', ...device, timestamp: at(hour) })),
    })
    const messages = await listener.until(all => all.length === 2)
    const ids = await Promise.all(
      ['grace', 'heidi'].map(async user => (await world.get<{ id: string }>(`/api/v1/profiles/user_id:${user}`)).id),
    )
    expect(messages.map(({ data }) => data.profileId)).toEqual(ids)
  })

  it('sees what is refused, with the reason', async () => {
    const listener = await listen()
    await send('/v1/track', { event: 'Whose' })
    const [rejected] = await listener.until(all => all.length > 0)
    expect(rejected).toEqual({
      name: 'rejected',
      data: {
        id: expect.stringMatching(/^\d+$/),
        source: 'website',
        reason: 'missing_identifier',
        detail: expect.any(String),
        receivedAt: expect.stringMatching(/Z$/),
      },
    })
  })

  it('sees only what it asked for', async () => {
    const byEvent = await listen('?event=Wanted')
    const byType = await listen('?type=page')
    const bySource = await listen('?source=elsewhere')
    const all = await listen()
    await send('/v1/track', { event: 'Refused' })
    await send('/v1/batch', {
      batch: [
        { type: 'track', event: 'Unwanted', userId: 'ada' },
        { type: 'page', name: 'Home', userId: 'ada' },
        { type: 'track', event: 'Wanted', userId: 'ada' },
      ],
    })
    const everything = await all.until(messages => messages.length === 4)
    expect(everything.map(({ name }) => name).sort()).toEqual(['processed', 'processed', 'processed', 'rejected'])
    expect((await byEvent.until(messages => messages.length > 0)).map(({ data }) => data.event)).toEqual(['Wanted'])
    expect((await byType.until(messages => messages.length > 0)).map(({ data }) => data.name)).toEqual(['Home'])
    expect(bySource.messages).toEqual([])
  })

  it('is refused a type that there is not, and needs a key', async () => {
    expect((await world.request('GET', '/api/v1/stream?type=trak')).status).toBe(400)
    expect((await fetch(`${world.running.url}/api/v1/stream`)).status).toBe(401)
  })

  it('gets at most 100 messages a second, and how many it did not get', async () => {
    const listener = await listen('?event=Flood')
    const batch = Array.from({ length: 350 }, (_, index) => ({ type: 'track', event: 'Flood', userId: `f${index}` }))
    await send('/v1/batch', { batch })
    const counted = (messages: Message[]) =>
      messages.reduce((sum, { name, data }) => sum + (name === 'skipped' ? (data.count as number) : 1), 0)
    const messages = await listener.until(all => counted(all) >= 350)
    expect(counted(messages)).toBe(350)
    expect(messages.filter(({ name }) => name === 'processed').length).toBeLessThanOrEqual(200)
    expect(messages.filter(({ name }) => name === 'processed').length).toBeGreaterThanOrEqual(100)
  })
})

describe('workspaces', () => {
  it('never see each other', async () => {
    const { context, first } = world.running
    const southwind = await createWorkspace(context, { name: 'Southwind', adminIds: [] })
    const { writeKey } = await createSource(context, context.postgres, southwind.id, { name: 'Shop', kind: 'http' })
    const [ours, theirs] = [await follow(context, first.workspaceId), await follow(context, southwind.id)]
    await send('/v1/track', { event: 'Theirs', userId: 'ivan' }, writeKey)
    await send('/v1/track', { event: 'Theirs, refused' }, writeKey)
    await send('/v1/track', { event: 'Ours', userId: 'ada' })
    const seen = async (following: typeof ours, count: number) => {
      const found: string[] = []
      while (found.length < count) {
        const tick = await following.next()
        found.push(
          ...(tick?.events ?? []).map(({ event }) => event ?? ''),
          ...(tick?.rejections ?? []).map(() => 'refused'),
        )
      }
      return found.sort()
    }
    expect(await seen(theirs, 2)).toEqual(['Theirs', 'refused'])
    expect(await seen(ours, 1)).toEqual(['Ours'])
    for (const following of [ours, theirs]) following.close()
  })
})

describe('following', () => {
  /** As another process has it: its own connections to the same database. */
  let elsewhere: Postgres
  let queries = 0
  beforeAll(() => {
    const pool = openPostgres({ connectionString: world.config.databaseUrl ?? '' }, { size: 4 })
    const query = pool.query.bind(pool) as (...args: unknown[]) => unknown
    elsewhere = Object.assign(pool, {
      query: (...args: unknown[]) => {
        queries += 1
        return query(...args)
      },
    }) as Postgres
  })
  afterAll(() => elsewhere.end())
  const context = () => ({ ...world.running.context, postgres: elsewhere })

  it('works from another process, and costs the same for many as for one', async () => {
    const { workspaceId } = world.running.first
    const many = await Promise.all(Array.from({ length: 20 }, () => follow(context(), workspaceId)))
    queries = 0
    await send('/v1/track', { event: 'Afar', userId: 'ada' })
    const found = await Promise.all(
      many.map(async following => {
        for (let ticks = 1; ; ticks += 1) {
          const tick = await following.next()
          if (tick?.events.some(({ event }) => event === 'Afar')) return ticks
        }
      }),
    )
    expect(new Set(found).size).toBe(1)
    // Two questions a tick, three when there is something.
    expect(queries).toBeLessThanOrEqual(3 * ((found[0] ?? 0) + 1))
    for (const following of many) following.close()
    expect(await many[0]?.next()).toBeUndefined()
  })

  it('misses no rejection that commits after one with a higher id', async () => {
    const { workspaceId } = world.running.first
    const following = await follow(context(), workspaceId)
    const insert = `insert into events.rejected (workspace_id, source, received_at, reason, detail, payload)
      values ($1, 'website', now(), 'missing_event', $2, '')`
    const slow = await elsewhere.connect()
    await slow.query('begin')
    await slow.query(insert, [workspaceId, 'late'])
    await elsewhere.query(insert, [workspaceId, 'early'])
    const details: string[] = []
    const until = async (detail: string) => {
      while (!details.includes(detail))
        details.push(...((await following.next())?.rejections ?? []).map(one => one.detail))
    }
    await until('early')
    await slow.query('commit')
    slow.release()
    await until('late')
    expect(details).toEqual(['early', 'late'])
    following.close()
  })

  it('shows nothing of what a rebuild processes once more', async () => {
    const { workspaceId } = world.running.first
    const following = await follow(context(), workspaceId)
    const { rows } = await elsewhere.query<{ block: string }>('select max(block)::text as block from events.block')
    // A rebuild, as the pipeline leaves it behind: the same groups in a block of a higher number.
    await elsewhere.query(
      `insert into events.rebuild (id, requested_at, started_at, finished_at, target)
       select gen_random_uuid(), now(), now() - interval '1 second', now() + interval '1 second', jsonb_object_agg(lane, pos)
       from events.lane`,
    )
    await elsewhere.query(
      `insert into events.block (block, ranges, rows, is_open, at)
       select block + 1000000, ranges, rows, false, now() from events.block where block = $1`,
      [rows[0]?.block],
    )
    for (let ticks = 0; ticks < 3; ticks += 1) {
      expect(await following.next()).toEqual({ events: [], rejections: [], missed: 0 })
    }
    following.close()
    await elsewhere.query('delete from events.block where block > 1000000')
    await elsewhere.query('delete from events.rebuild')
  })

  it('that fell behind is told how many passed by', async () => {
    const { workspaceId } = world.running.first
    const [slow, quick] = [await follow(context(), workspaceId), await follow(context(), workspaceId)]
    await send('/v1/track', { event: 'Passed', userId: 'ada' })
    const text = await openStream(context(), { workspaceId, filter: {}, signal: new AbortController().signal })
    await send('/v1/track', { event: 'Passed', userId: 'ada' })
    let found = 0
    for (let after = 0; found < 2 || after < 6; after += found < 2 ? 0 : 1) {
      const tick = await quick.next()
      expect(tick?.missed).toBe(0)
      found += tick?.events.length ?? 0
    }
    expect(await slow.next()).toEqual({ events: [], rejections: [], missed: 2 })
    expect((await slow.next())?.missed).toBe(0)
    for (const following of [slow, quick]) following.close()
    const texts: string[] = []
    for await (const one of text) if (texts.push(one) === 2) break
    expect(texts.join('')).toMatch(/^: listening\n\nevent: skipped\ndata: {"count":[12]}\n\n$/)
  })
})

describe('a quiet stream', () => {
  it('says every 15 seconds that it is there, and ends after an hour', async () => {
    let offset = 0
    const context = { ...world.running.context, now: () => Date.now() + offset }
    const { signal } = new AbortController()
    const { workspaceId } = world.running.first
    const stream = await openStream(context, { workspaceId, filter: { event: 'Never' }, signal })
    const texts = stream[Symbol.asyncIterator]()
    expect(await texts.next()).toEqual({ value: ': listening\n\n', done: false })
    for (let round = 0; round < 2; round += 1) {
      const next = texts.next()
      offset += 15_000
      expect(await next).toEqual({ value: ': nothing new\n\n', done: false })
    }
    const last = texts.next()
    offset += 60 * 60_000
    expect(await last).toEqual({ value: undefined, done: true })
  })

  it('ends with its listener, also when nothing of it was read', async () => {
    const { context, first } = world.running
    const controller = new AbortController()
    const listener = { workspaceId: first.workspaceId, filter: {}, signal: controller.signal }
    const stream = await openStream(context, listener)
    controller.abort()
    const texts: string[] = []
    for await (const text of stream) texts.push(text)
    expect(texts).toEqual([': listening\n\n'])
  })
})
