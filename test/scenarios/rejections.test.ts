/** Rejected events over real HTTP: seen as they were sent, mended, sent again or put away. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/index.ts'
import { createWorkspace } from '../../src/workspaces/index.ts'
import { openWorld, type World, WRITE_KEY } from '../world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

type Rejected = Awaited<ReturnType<typeof reject>>

/** Sends one call to its own path, and finds the rejection that comes of it. */
async function reject(path: string, call: object | string, reason: string) {
  const response = await fetch(`${world.running.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${WRITE_KEY}:`)}` },
    body: typeof call === 'string' ? call : JSON.stringify(call),
  })
  expect([path, response.status]).toEqual([path, 400])
  const { data } = await world.client.request('GET /api/v1/rejections', { query: { reason, limit: 1 } })
  const [rejected] = data
  if (rejected?.reason !== reason) throw new Error(`nothing was rejected as ${reason}`)
  return rejected
}

const resend = ({ id }: Pick<Rejected, 'id'>, body: { payload?: string } = {}, client: Client = world.client) =>
  client.request('POST /api/v1/rejections/{id}/resends', { params: { id }, body })
const discard = ({ id }: Pick<Rejected, 'id'>, client: Client = world.client) =>
  client.request('POST /api/v1/rejections/{id}/discards', { params: { id } })
const stateOf = async ({ id }: Pick<Rejected, 'id'>) =>
  (await world.client.request('GET /api/v1/rejections/{id}', { params: { id } })).state
const withField = (rejected: Rejected, more: object) => ({
  payload: JSON.stringify({ ...(JSON.parse(rejected.payload) as object), ...more }),
})

interface Stored {
  messageId: string
  type: string
  event: string | null
  timestamp: string
  receivedAt: string
}
async function timeline(userId: string): Promise<Stored[]> {
  await world.settled()
  return (await world.get<{ data: Stored[] }>(`/api/v1/profiles/user_id:${userId}/events`)).data
}

describe('an event that was rejected alone', () => {
  it.each([
    ['track', { event: 'Order Completed' }],
    ['identify', { traits: { name: 'Ada' } }],
    ['page', { name: 'Home' }],
    ['screen', { name: 'Home' }],
    ['group', { groupId: 'acme' }],
  ])('at /v1/%s keeps what its path said, and is stored once it is mended', async (type, call) => {
    const rejected = await reject(`/v1/${type}`, call, 'missing_identifier')
    expect(rejected).toMatchObject({ source: 'website', state: 'open', isCut: false, isDelivery: false })
    expect(JSON.parse(rejected.payload)).toEqual({ type, ...call })
    await expect(resend(rejected)).rejects.toMatchObject({ code: 'unprocessable', faults: [{ path: 'payload' }] })
    expect(await stateOf(rejected)).toBe('open')
    expect(await resend(rejected, withField(rejected, { userId: `mended-${type}` }))).toEqual({
      stored: 1,
      deduplicated: 0,
      rejected: 0,
    })
    expect(await stateOf(rejected)).toBe('resent')
    expect(await timeline(`mended-${type}`)).toMatchObject([{ type, receivedAt: rejected.receivedAt }])
  })

  it('is sent again once, also by two people at the same time', async () => {
    const rejected = await reject('/v1/track', { event: 'Twice' }, 'missing_identifier')
    const mended = withField(rejected, { userId: 'twice' })
    const outcomes = await Promise.allSettled([resend(rejected, mended), resend(rejected, mended)])
    expect(outcomes.map(outcome => outcome.status)).toContain('fulfilled')
    expect(await timeline('twice')).toHaveLength(1)
    await expect(resend(rejected, mended)).rejects.toMatchObject({ code: 'conflict', status: 409 })
    await expect(discard(rejected)).rejects.toMatchObject({ code: 'conflict' })
    expect(await timeline('twice')).toHaveLength(1)
  })

  it('keeps its own time, however late it is mended', async () => {
    const call = { event: 'Late', timestamp: '2026-02-01T10:00:00.000Z', sentAt: new Date().toISOString() }
    const rejected = await reject('/v1/track', call, 'missing_identifier')
    await resend(rejected, withField(rejected, { userId: 'late' }))
    const [event] = await timeline('late')
    const shift = Date.parse(rejected.receivedAt) - Date.parse(call.sentAt)
    expect(Date.parse(event?.timestamp ?? '')).toBe(Date.parse(call.timestamp) + shift)
  })

  it('that is not even JSON is mended as one', async () => {
    const rejected = await reject('/v1/track', '{"event": "Broken", "userId": "broken"', 'invalid_json')
    expect(rejected.payload).toBe('{"event": "Broken", "userId": "broken"')
    for (const payload of ['{', '[]', '7']) {
      await expect(resend(rejected, { payload })).rejects.toMatchObject({ code: 'unprocessable' })
    }
    const payload = '{"type": "track", "event": "Broken", "userId": "broken"}'
    expect(await resend(rejected, { payload })).toMatchObject({ stored: 1 })
  })

  it('that was too large to keep whole is not sent again in part', async () => {
    const call = { event: 'Large', properties: { text: 'x'.repeat(100_000) } }
    const rejected = await reject('/v1/track', call, 'missing_identifier')
    expect(rejected).toMatchObject({ isCut: true })
    await expect(resend(rejected)).rejects.toMatchObject({ code: 'unprocessable' })
    const mended = { payload: JSON.stringify({ type: 'track', ...call, userId: 'large' }) }
    expect(await resend(rejected, mended)).toMatchObject({ stored: 1 })
  })

  it('can be put away, and is then neither sent again nor put away twice', async () => {
    const rejected = await reject('/v1/track', { event: 'Noise' }, 'missing_identifier')
    expect(await discard(rejected)).toMatchObject({ id: rejected.id, state: 'discarded' })
    await expect(discard(rejected)).rejects.toMatchObject({ code: 'conflict' })
    await expect(resend(rejected, withField(rejected, { userId: 'noise' }))).rejects.toMatchObject({ code: 'conflict' })
    const query = { state: 'discarded' as const }
    const { data } = await world.client.request('GET /api/v1/rejections', { query })
    expect(data.map(({ id }) => id)).toEqual([rejected.id])
  })
})

describe('an event that was set aside while it was processed', () => {
  it('is stored under a new id with its own times: its old id is taken', async () => {
    const line = {
      messageId: 'poison-1',
      type: 'track',
      source: 'website',
      event: 'Poisoned',
      userId: 'poisoned',
      timestamp: '2026-03-01T10:00:30.000Z',
      originalTimestamp: '2026-03-01T10:00:00.000Z',
      sentAt: '2026-03-01T10:00:10.000Z',
      receivedAt: '2026-03-01T10:00:40.000Z',
    }
    await world.send({ ...line, userId: 'poisoned-before', timestamp: undefined, sentAt: undefined })
    const { rows } = await world.running.context.postgres.query<{ id: string }>(
      `insert into events.rejected (workspace_id, source, received_at, reason, detail, payload)
       values ($1, 'website', now(), 'processing_failed', '', $2) returning id::text`,
      [world.running.first.workspaceId, Buffer.from(JSON.stringify(line))],
    )
    const id = rows[0]?.id ?? ''
    expect(await resend({ id })).toMatchObject({ stored: 1, deduplicated: 0 })
    const { messageId, timestamp, receivedAt } = (await timeline('poisoned'))[0] as Stored
    expect([messageId, timestamp, receivedAt]).toEqual([`resent-${id}`, line.timestamp, line.receivedAt])
  })
})

describe('rejected events', () => {
  it('are counted: sent is stored, rejected and deduplicated, also after mending', async () => {
    const accounting = await world.client.request('GET /api/v1/accounting')
    expect(accounting.sent).toBe(accounting.stored + accounting.rejected + accounting.deduplicated)
    const reasons = Object.values(accounting.rejectedByReason).reduce((sum, count) => sum + count, 0)
    expect(reasons).toBe(accounting.rejected)
  })

  it('are listed newest first, page by page', async () => {
    const ids: number[] = []
    for await (const { id } of world.client.each('GET /api/v1/rejections', { query: { limit: 2 } }))
      ids.push(Number(id))
    expect(ids.length).toBeGreaterThan(5)
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => b - a))
  })

  it('are seen by viewers, and mended and put away by editors', async () => {
    const rejected = await reject('/v1/track', { event: 'Roles' }, 'missing_identifier')
    const { url } = world.running
    const [viewer, editor] = await Promise.all(
      (['viewer', 'editor'] as const).map(async role => {
        const { key } = await world.client.request('POST /api/v1/api-keys', { body: { name: role, role } })
        return createClient({ baseUrl: url, apiKey: key })
      }),
    )
    if (!viewer || !editor) throw new Error('no keys')
    expect((await viewer.request('GET /api/v1/rejections', { query: { limit: 1 } })).data[0]?.id).toBe(rejected.id)
    await expect(resend(rejected, {}, viewer)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(discard(rejected, viewer)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await discard(rejected, editor)).toMatchObject({ state: 'discarded' })
  })

  it('of another workspace are not there', async () => {
    const { context } = world.running
    const { id: workspaceId } = await createWorkspace(context, { name: 'Southwind', adminIds: [] })
    const { rows } = await context.postgres.query<{ id: string }>(
      `insert into events.rejected (workspace_id, source, received_at, reason, detail, payload)
       values ($1, 'website', now(), 'missing_identifier', '', '{"type":"track","event":"Theirs","userId":"theirs"}')
       returning id::text`,
      [workspaceId],
    )
    const id = rows[0]?.id ?? ''
    const gone = { code: 'not_found' }
    await expect(world.client.request('GET /api/v1/rejections/{id}', { params: { id } })).rejects.toMatchObject(gone)
    await expect(resend({ id })).rejects.toMatchObject(gone)
    await expect(discard({ id })).rejects.toMatchObject(gone)
    const { data } = await world.client.request('GET /api/v1/rejections', { query: { limit: 200 } })
    expect(data.map(rejected => rejected.id)).not.toContain(id)
    const { rows: left } = await context.postgres.query('select state from events.rejected where id = $1', [id])
    expect(left).toEqual([{ state: 'open' }])
  })
})
