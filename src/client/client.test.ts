import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { pageOf, pageQuery } from '../http/page.ts'
import { content, nothing, route } from '../http/route.ts'
import { ApiError, type Client, createClient } from './client.ts'

const common = { summary: 'For this test', tag: 'test', access: 'viewer', errors: [] } as const
const routes = [
  route({
    ...common,
    method: 'GET',
    path: '/things',
    query: z.object({ ...pageQuery, tag: z.array(z.string()).optional() }),
    responses: { 200: pageOf(z.number()) },
    handle: async () => ({ data: [], nextCursor: null }),
  }),
  route({
    ...common,
    method: 'DELETE',
    path: '/things/{id}',
    params: z.object({ id: z.string() }),
    responses: { 204: nothing },
    handle: async () => {},
  }),
  route({
    ...common,
    method: 'GET',
    path: '/file',
    responses: { 200: content('text/csv') },
    handle: async () => '',
  }),
] as const

let server: Server
let client: Client<typeof routes>
let seen: IncomingMessage[] = []
/** What the next requests are answered with, in order. */
let answers: { status: number; type: string; body: string; headers?: Record<string, string> }[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request)
    const { status, type, body, headers } = answers.shift() ?? { status: 500, type: 'text/plain', body: '' }
    response.writeHead(status, { 'content-type': type, ...headers }).end(status === 204 ? undefined : body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  client = createClient<typeof routes>({ baseUrl, apiKey: 'the-key', csrfToken: () => 'the-token' })
})
afterAll(() => server.close())
beforeEach(() => {
  seen = []
  answers = []
})

const json = (body: unknown) => ({ status: 200, type: 'application/json; charset=utf-8', body: JSON.stringify(body) })

describe('the client', () => {
  it('escapes what stands in paths and queries, and repeats what is a list', async () => {
    answers = [{ status: 204, type: 'text/plain', body: '' }, json({ data: [], nextCursor: null })]
    expect(
      await client.request('DELETE /things/{id}', { params: { id: 'email:ada+x@example.com/../y' } }),
    ).toBeUndefined()
    await client.request('GET /things', { query: { tag: ['a&b', 'ü'], limit: 5 } })
    expect(seen.map(request => request.url)).toEqual([
      '/things/email%3Aada%2Bx%40example.com%2F..%2Fy',
      '/things?tag=a%26b&tag=%C3%BC&limit=5',
    ])
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer the-key', 'x-csrf-token': 'the-token' })
  })

  it('reads lists to their end, and no page more than it is asked for', async () => {
    const pages = [json({ data: [1, 2], nextCursor: 'two' }), json({ data: [3], nextCursor: null })]
    answers = [...pages]
    const all: number[] = []
    for await (const item of client.each('GET /things', { query: { limit: 2 } })) all.push(item)
    expect(all).toEqual([1, 2, 3])
    expect(seen.map(request => request.url)).toEqual(['/things?limit=2', '/things?limit=2&cursor=two'])
    answers = [...pages]
    for await (const item of client.each('GET /things')) if (item === 1) break
    expect(seen).toHaveLength(3)
  })

  it('throws what the server explained', async () => {
    const problem = { code: 'locked_out', hint: 'Wait.', faults: [{ path: 'a', message: 'b' }] }
    const headers = { 'retry-after': '900' }
    answers = [
      {
        status: 429,
        type: 'application/problem+json',
        body: JSON.stringify({ ...problem, detail: 'Too many.' }),
        headers,
      },
    ]
    const error = await client.request('GET /things').catch(caught => caught)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({
      ...problem,
      message: 'Too many.',
      status: 429,
      retryAfterSeconds: 900,
    })
  })

  it('throws with the status alone when something in between answered', async () => {
    answers = [{ status: 502, type: 'text/html', body: '<h1>Bad gateway</h1>' }]
    await expect(client.request('GET /things')).rejects.toMatchObject({ status: 502, code: 'unknown', faults: [] })
  })

  it('hands over files as streams', async () => {
    answers = [{ status: 200, type: 'text/csv', body: 'a,b\n' }]
    expect(await new Response(await client.request('GET /file')).text()).toBe('a,b\n')
  })

  it('knows the routes by their types: which there are, what they need and what they give', () => {
    type Request = Client<typeof routes>['request']
    expectTypeOf<Parameters<Request>[0]>().toEqualTypeOf<'GET /things' | 'DELETE /things/{id}' | 'GET /file'>()
    const remove = () => client.request('DELETE /things/{id}', { params: { id: 'x' } })
    expectTypeOf(remove).returns.resolves.toEqualTypeOf<void>()
    const list = () => client.request('GET /things')
    expectTypeOf(list).returns.resolves.toEqualTypeOf<{ data: number[]; nextCursor: string | null }>()
    const items = () => client.each('GET /things')
    expectTypeOf<ReturnType<typeof items>>().toEqualTypeOf<AsyncGenerator<number>>()
  })
})
