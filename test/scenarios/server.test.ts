/** The server around the routes: what it says when things go wrong, its limits, its other ways in, its end. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createClient } from '../../src/client/index.ts'
import { socketFetch } from '../../src/client/socket.ts'
import { problemSchema } from '../../src/http/problem.ts'
import { type AnyRoute, content, route } from '../../src/http/route.ts'
import { serveOnSocket } from '../../src/http/server.ts'
import { ADMIN_KEY, post, type Served, serve } from '../serve.ts'

const SECRET = 'ada@example.com'
const authorization = `Bearer ${ADMIN_KEY}`
const common = { summary: 'For this test', tag: 'test', errors: [] } as const
/** What the long request waits for, and whether it was told to stop. */
const long = { begun: Promise.withResolvers<void>(), end: Promise.withResolvers<void>(), isAborted: false }

const testRoutes = [
  route({
    ...common,
    method: 'POST',
    path: '/api/v1/things/{id}',
    access: 'public',
    params: z.object({ id: z.coerce.number().int() }),
    query: z.object({ limit: z.coerce.number().max(10).optional() }),
    body: z.strictObject({ name: z.string(), tags: z.array(z.string()).optional() }),
    responses: { 200: z.object({ id: z.number(), name: z.string() }) },
    handle: async ({ params, body }) => ({ id: params.id, name: body.name }),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/v1/bug',
    access: 'public',
    query: z.object({ email: z.string().optional() }),
    responses: { 200: z.object({}) },
    handle: async ({ context, query }) => {
      await context.postgres.query('select $1::int', [query.email])
      return {}
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/v1/leak',
    access: 'public',
    responses: { 200: z.object({ name: z.string() }) },
    handle: async () => ({ name: 'Ada', passwordHash: 'x' }),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/v1/away',
    access: 'public',
    responses: { 200: z.object({}) },
    handle: async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/v1/uploads',
    access: 'editor',
    body: content('application/octet-stream'),
    responses: { 201: z.object({ bytes: z.number() }) },
    handle: async ({ body }) => {
      let bytes = 0
      for await (const chunk of body) bytes += (chunk as Buffer).length
      return { bytes }
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/v1/downloads',
    access: 'viewer',
    responses: { 200: content('text/csv') },
    handle: async () => Readable.from(['a,b\n', '1,2\n']),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/v1/long',
    access: 'viewer',
    responses: { 200: z.object({ isDone: z.boolean() }) },
    handle: async ({ signal }) => {
      signal.addEventListener('abort', () => {
        long.isAborted = true
      })
      long.begun.resolve()
      await long.end.promise
      return { isDone: true }
    },
  }),
] as const
const routes: readonly AnyRoute[] = testRoutes

/** Stands for collection: any type of body, a larger one, and open to other origins. */
const plugin: FastifyPluginAsync = async scope => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 3_000_000 }, (_, body, done) => done(null, body))
  scope.addHook('onRequest', async (_, reply) => void reply.header('access-control-allow-origin', '*'))
  scope.post('/v1/anything', { bodyLimit: 3_000_000 }, async request => ({ bytes: (request.body as Buffer).length }))
}

const health = { isWell: true }
let served: Served
beforeAll(async () => {
  const readiness = {
    postgres: () => served.context.postgres.query('select 1'),
    pipeline: () => {
      if (!health.isWell) throw new Error('stuck')
    },
  }
  served = await serve({ routes, plugins: [plugin], readiness })
})
afterAll(() => served.close())

const get = (path: string, init: RequestInit = {}) => fetch(`${served.baseUrl}${path}`, init)
const problemOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json(;|$)/)
  const problem = problemSchema.strict().parse(await response.json())
  expect(problem.status).toBe(response.status)
  return problem
}

describe('a request that is not right', () => {
  it('hears of every fault at once, by field', async () => {
    const problem = await problemOf(await post(served, '/api/v1/things/x?limit=11&lmit=1', { tags: [1], nme: 'a' }))
    expect(problem.code).toBe('invalid_request')
    expect(problem.faults?.map(fault => fault.path).sort()).toEqual([
      '',
      'name',
      'path.id',
      'query',
      'query.limit',
      'tags.0',
    ])
  })

  it.each([
    ['cut off', '{"name":', 'invalid_json'],
    ['empty', '', 'invalid_json'],
    ['reaching for the prototype', '{"name":"a","__proto__":{"x":1}}', 'invalid_json'],
    ['a list', '[]', 'invalid_request'],
    ['null', 'null', 'invalid_request'],
    ['10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'invalid_request'],
  ])('with a body that is %s is refused', async (_, body, code) => {
    const headers = { 'content-type': 'application/json' }
    expect((await problemOf(await get('/api/v1/things/1', { method: 'POST', headers, body }))).code).toBe(code)
  })

  it('to no address, or with a method it does not have, is told so', async () => {
    expect((await problemOf(await get('/api/v1/nothing'))).code).toBe('not_found')
    const wrong = await get('/api/v1/things/1', { method: 'DELETE' })
    expect(wrong.headers.get('allow')).toBe('POST')
    expect((await problemOf(wrong)).code).toBe('method_not_allowed')
    expect((await problemOf(await get('/api/v1/things/%E0%A4%A'))).code).toBe('invalid_request')
  })

  it('larger than a megabyte is refused before it is read', async () => {
    const refused = await post(served, '/api/v1/things/1', { name: 'x'.repeat(1024 * 1024) })
    expect((await problemOf(refused)).code).toBe('too_large')
  })

  it('that is no HTTP gets a problem and a closed connection', async () => {
    const { port } = served.app.server.address() as AddressInfo
    for (const [bytes, code] of [
      ['NONSENSE\r\n\r\n', 'invalid_request'],
      [`GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 'too_large'],
    ] as const) {
      const socket = connect(port, '127.0.0.1')
      socket.write(bytes)
      const [answer] = await once(socket, 'data')
      expect(String(answer)).toContain(`"code":"${code}"`)
      await once(socket, 'close')
    }
  })
})

describe('a failure inside', () => {
  it('is answered without its words, and logged once with an id and nothing personal', async () => {
    served.logged.length = 0
    const problem = await problemOf(await get(`/api/v1/bug?email=${SECRET}`))
    expect(problem).toMatchObject({ code: 'internal', status: 500 })
    expect(JSON.stringify(problem)).not.toContain(SECRET)
    expect(served.logged).toHaveLength(1)
    expect(JSON.parse(served.logged[0] ?? '')).toMatchObject({
      errorId: problem.errorId,
      route: '/api/v1/bug',
      method: 'GET',
    })
    expect(served.logged[0]).not.toContain(SECRET)
  })

  it('of the database being away is 503, and says when to come back', async () => {
    const response = await get('/api/v1/away')
    expect(response.headers.get('retry-after')).toBe('1')
    expect((await problemOf(response)).code).toBe('unavailable')
  })

  it('is what tests get for an answer with a field that its schema does not name', async () => {
    expect((await problemOf(await get('/api/v1/leak'))).code).toBe('internal')
  })
})

describe('every answer', () => {
  it.each([
    ['of the API', '/api/v1/downloads', 'GET'],
    ['that is an error', '/api/v1/bug?email=x', 'GET'],
    ['to nowhere', '/nowhere', 'GET'],
    ['to a preflight', '/api/v1/things/1', 'OPTIONS'],
  ])('%s carries the headers that keep browsers from harm, and none for other origins', async (_, path, method) => {
    const { headers } = await get(path, { method, headers: { origin: 'https://evil.example.net' } })
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect([...headers.keys()].filter(name => /^access-control|x-powered-by|^server$/.test(name))).toEqual([])
  })
})

describe('a plugin', () => {
  it('has its own parsers, limits and CORS, which the API does not get', async () => {
    const init = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(2_000_000) }
    const response = await get('/v1/anything', init)
    expect(await response.json()).toEqual({ bytes: 2_000_000 })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const json = { ...init, headers: { 'content-type': 'application/json' } }
    expect((await problemOf(await get('/api/v1/things/1', json))).code).toBe('too_large')
    const small = await get('/api/v1/things/1', { ...init, body: '{"name":"a"}' })
    expect((await problemOf(small)).code).toBe('unsupported_media_type')
  })
})

describe('streams', () => {
  it('may be longer than any JSON body, and are read by the handler', async () => {
    const client = createClient<typeof testRoutes>({ baseUrl: served.baseUrl, apiKey: ADMIN_KEY })
    const body = new Blob(Array.from({ length: 5 }, () => 'x'.repeat(1_000_000))).stream()
    const answer = await client.request('POST /api/v1/uploads', { body, contentType: 'text/csv' })
    expect(answer).toEqual({ bytes: 5_000_000 })
    const file = await client.request('GET /api/v1/downloads')
    expect(await new Response(file).text()).toBe('a,b\n1,2\n')
  })

  it('are not read at all from those who may not send them', async () => {
    const body = 'x'.repeat(2_000_000)
    expect((await get('/api/v1/uploads', { method: 'POST', body })).status).toBe(401)
  })
})

describe('the state of the server', () => {
  it('is up; and ready only while every check passes', async () => {
    expect(await (await get('/health')).json()).toEqual({ status: 'up' })
    expect(await (await get('/ready')).json()).toEqual({ isReady: true, checks: { postgres: 'ok', pipeline: 'ok' } })
    health.isWell = false
    const response = await get('/ready')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ isReady: false, checks: { postgres: 'ok', pipeline: 'failed' } })
    health.isWell = true
  })

  it('counts requests by the template of their route, never by what was asked', async () => {
    await post(served, '/api/v1/things/4711', { name: 'a' })
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toMatch(
      /throughline_http_requests_total\{method="POST",route="\/api\/v1\/things\/:id",status="200"\} \d+/,
    )
    expect(metrics).toContain('throughline_http_request_duration_seconds_bucket')
    expect(metrics).toContain('process_cpu_seconds_total')
    expect(metrics).not.toMatch(/4711|email/)
  })
})

describe('limits', () => {
  it('hold for each key and each address, whatever X-Forwarded-For says', async () => {
    const bucket = { perSecond: 1, burst: 3, callersMax: 100 }
    const limited = await serve({ limits: { known: bucket, unknown: bucket } })
    const ask = (headers: Record<string, string>) => fetch(`${limited.baseUrl}/api/v1/session`, { headers })
    const statuses: number[] = []
    for (let request = 0; request < 5; request += 1) statuses.push((await ask({ authorization })).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    const spoofed: number[] = []
    for (let request = 0; request < 4; request += 1) {
      spoofed.push((await ask({ 'x-forwarded-for': `192.0.2.${request}` })).status)
    }
    expect(spoofed).toEqual([401, 401, 401, 429])
    const refused = await ask({ authorization })
    expect(refused.headers.get('retry-after')).toBe('1')
    limited.advance(1_000)
    expect((await ask({ authorization })).status).toBe(200)
    await limited.close()
  })

  it('of Node are set: headers within 10 seconds, and connections are counted', () => {
    const { server } = served.app
    expect(server.headersTimeout).toBeLessThanOrEqual(9_000)
    expect(server.maxConnections).toBeLessThanOrEqual(10_000)
  })
})

describe('the socket in the data folder', () => {
  it('is its owner’s alone, and makes them admin of any workspace without a key', async () => {
    const local = await serve()
    const path = join(local.context.config.dataDir, 'throughline.sock')
    expect(await serveOnSocket(local.app, path)).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { fetch: through, close } = socketFetch(path)
    const client = createClient({ baseUrl: 'http://localhost', fetch: through })
    expect(await client.request('GET /api/v1/session')).toMatchObject({
      via: 'local',
      role: 'admin',
      workspace: { id: 'default' },
    })
    const made = await client.request('POST /api/v1/workspaces', { body: { name: 'Demo' } })
    const inDemo = createClient({ baseUrl: 'http://localhost', fetch: through, workspace: made.id })
    expect(await inDemo.request('GET /api/v1/session')).toMatchObject({ workspace: { id: 'demo' } })
    const wrongKey = createClient({ baseUrl: 'http://localhost', fetch: through, apiKey: 'wrong' })
    await expect(wrongKey.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })

    const second = await serve()
    await expect(serveOnSocket(second.app, path)).rejects.toThrow('already serves')
    await second.close()
    await close()
    await local.app.close()
    expect(() => statSync(path)).toThrow('ENOENT')
    await local.close()
  })

  it('left by a server that was killed is taken over; a path too long for one is declined', async () => {
    const local = await serve()
    const path = join(local.context.config.dataDir, 'throughline.sock')
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    expect(() => execFileSync(process.execPath, ['-e', program])).toThrow()
    expect(statSync(path).isSocket()).toBe(true)
    expect(await serveOnSocket(local.app, path)).toBe(true)
    expect(await serveOnSocket(local.app, `/tmp/${'x'.repeat(120)}`)).toBe(false)
    await local.close()
  })

  it('has no door for those who come over the network', async () => {
    const response = await fetch(`${served.baseUrl}/api/v1/downloads`, {
      headers: { 'throughline-workspace': 'default' },
    })
    expect(response.status).toBe(401)
  })
})

describe('a server that stops', () => {
  it('takes no more, tells those at work, and lets them finish', async () => {
    const stopping = await serve({ routes })
    const answer = fetch(`${stopping.baseUrl}/api/v1/long`, { headers: { authorization } })
    await long.begun.promise
    const closed = stopping.app.close()
    await expect.poll(() => long.isAborted).toBe(true)
    await expect(fetch(`${stopping.baseUrl}/health`)).rejects.toThrow()
    long.end.resolve()
    expect(await (await answer).json()).toEqual({ isDone: true })
    await closed
    await stopping.close()
  })

  it('does not wait for a connection that was opened in advance and never spoke', async () => {
    const stopping = await serve()
    const socket = connect(Number(new URL(stopping.baseUrl).port), '127.0.0.1')
    await once(socket, 'connect')
    const ended = once(socket, 'close')
    const from = performance.now()
    await stopping.close()
    await ended
    expect(performance.now() - from).toBeLessThan(5_000)
  })
})
