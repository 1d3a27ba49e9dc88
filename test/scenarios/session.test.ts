/** Signing in, staying in and getting out, over real HTTP against a real database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiError } from '../../src/client/index.ts'
import { buildServer } from '../../src/http/server.ts'
import { apiRoutes } from '../../src/routes.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { authenticator } from '../../src/workspaces/index.ts'
import { ADMIN, dumpDatabase, post, type Served, serve, signIn } from '../serve.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

let served: Served
beforeAll(async () => {
  served = await serve()
})
afterAll(() => served.close())

describe('signing in', () => {
  it('sets a cookie that scripts cannot read and other sites cannot send', async () => {
    const response = await post(served, '/api/v1/session', ADMIN)
    expect(response.status).toBe(201)
    expect(response.headers.get('set-cookie')).toMatch(
      /^throughline_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/,
    )
  })

  it('sets it for https alone where the page was loaded over https, whatever a proxy does in between', async () => {
    const headers = { origin: 'https://crm.example.com', 'sec-fetch-site': 'same-origin' }
    const response = await post(served, '/api/v1/session', ADMIN, headers)
    expect(response.headers.get('set-cookie')).toMatch(/^__Host-throughline_session=.*; Secure$/)
  })

  it('says who one is, where, and what one may do', async () => {
    const { client } = await signIn(served, { ...ADMIN, email: ' ADA@example.com ' })
    expect(await client.request('GET /api/v1/session')).toMatchObject({
      via: 'session',
      role: 'admin',
      account: { email: ADMIN.email },
      workspace: { id: 'default' },
      workspaces: [{ id: 'default', role: 'admin' }],
    })
  })

  it('stores neither the token nor the password', async () => {
    const { cookie } = await signIn(served, ADMIN)
    const token = cookie.split('=')[1] as string
    const dump = JSON.stringify(await dumpDatabase(served))
    expect(dump).toContain(ADMIN.email)
    for (const secret of [token, ADMIN.password]) {
      expect(dump).not.toContain(secret)
      expect(dump).not.toContain(Buffer.from(secret).toString('hex'))
    }
    expect(dump).not.toContain(Buffer.from(token, 'base64url').toString('hex'))
    expect(served.logged.join('')).not.toContain(token)
  })

  it('is not possible from another site', async () => {
    const response = await post(served, '/api/v1/session', ADMIN, { 'sec-fetch-site': 'cross-site' })
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ code: 'csrf' })
    expect(response.headers.get('set-cookie')).toBeNull()
  })

  it('is not possible with a plain form', async () => {
    const body = JSON.stringify(ADMIN)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const init = { method: 'POST', headers: { 'content-type': type }, body }
      expect((await fetch(`${served.baseUrl}/api/v1/session`, init)).status).toBe(415)
    }
  })
})

describe('staying signed in', () => {
  it('lasts while one comes back within two weeks, and ends after that', async () => {
    const { client } = await signIn(served, ADMIN)
    for (let visit = 0; visit < 3; visit += 1) {
      served.advance(13 * DAY_MS)
      await client.request('GET /api/v1/session')
    }
    served.advance(15 * DAY_MS)
    await expect(client.request('GET /api/v1/session')).rejects.toMatchObject({ code: 'not_signed_in' })
  })

  it('ends after ninety days in any case', async () => {
    const { client } = await signIn(served, ADMIN)
    for (let day = 0; day < 81; day += 9) {
      served.advance(9 * DAY_MS)
      await client.request('GET /api/v1/session')
    }
    served.advance(9 * DAY_MS + MINUTE_MS)
    await expect(client.request('GET /api/v1/session')).rejects.toMatchObject({ code: 'not_signed_in' })
  })
})

describe('signing out', () => {
  it('ends this session at once, and takes the cookie back', async () => {
    const [one, other] = [await signIn(served, ADMIN), await signIn(served, ADMIN)]
    await other.client.request('GET /api/v1/session')
    const headers = { 'x-csrf-token': one.csrfToken }
    const response = await one.fetch('/api/v1/session', { method: 'DELETE', headers })
    expect(response.status).toBe(204)
    expect(response.headers.get('set-cookie')).toMatch(/^throughline_session=; .*Max-Age=0$/)
    await expect(one.client.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
    await other.client.request('GET /api/v1/session')
  })

  it('everywhere ends every session of the account', async () => {
    const [one, other] = [await signIn(served, ADMIN), await signIn(served, ADMIN)]
    await one.client.request('DELETE /api/v1/session', { query: { sessions: 'all' } })
    await expect(one.client.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
    await expect(other.client.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
  })
})

describe('a request that another site makes with the cookie', () => {
  it.each([
    ['without the token', {}],
    ['with a wrong token', { 'x-csrf-token': 'x'.repeat(43) }],
    ['with the token of another session', { 'x-csrf-token': 'OTHER' }],
    ['with the token, but from elsewhere', { 'x-csrf-token': 'OWN', 'sec-fetch-site': 'cross-site' }],
    ['with the token, but another Origin', { 'x-csrf-token': 'OWN', origin: 'https://evil.example.net' }],
  ])('changes nothing %s', async (_, headers: Record<string, string>) => {
    const [one, other] = [await signIn(served, ADMIN), await signIn(served, ADMIN)]
    const tokens: Record<string, string> = { OWN: one.csrfToken, OTHER: other.csrfToken }
    const sent = { ...headers, 'content-type': 'application/json' } as Record<string, string>
    if (sent['x-csrf-token']) sent['x-csrf-token'] = tokens[sent['x-csrf-token']] ?? sent['x-csrf-token']
    const before = await dumpDatabase(served)
    for (const route of apiRoutes.filter(candidate => candidate.method !== 'GET' && candidate.access !== 'public')) {
      const path = route.path.replaceAll(/\{\w+\}/g, 'website')
      const response = await one.fetch(path, { method: route.method, headers: sent, body: '{}' })
      expect([route.path, response.status]).toEqual([route.path, 403])
      expect(await response.json()).toMatchObject({ code: 'csrf' })
    }
    expect(await dumpDatabase(served)).toEqual(before)
  })
})

describe('guessing passwords', () => {
  const wrong = { email: ADMIN.email, password: 'wrong password' }

  it('is closed after ten failures in 15 minutes, for the right password too, and opens again', async () => {
    served.advance(20 * MINUTE_MS)
    const statuses: number[] = []
    for (let attempt = 0; attempt < 11; attempt += 1) {
      const headers = { 'x-forwarded-for': `198.51.100.${attempt}` }
      statuses.push((await post(served, '/api/v1/session', wrong, headers)).status)
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429])
    const locked = await post(served, '/api/v1/session', ADMIN)
    expect(await locked.json()).toMatchObject({ code: 'locked_out', status: 429 })
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(14 * 60)
    expect(Number(locked.headers.get('retry-after'))).toBeLessThanOrEqual(15 * 60)
    served.advance(15 * MINUTE_MS)
    expect((await post(served, '/api/v1/session', ADMIN)).status).toBe(201)
  })

  it('cannot pass the limit by trying many at once', async () => {
    served.advance(20 * MINUTE_MS)
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(served, '/api/v1/session', wrong)))
    const statuses = answers.map(answer => answer.status)
    expect(statuses.filter(status => status === 401).length).toBeLessThanOrEqual(10)
    expect(statuses.every(status => status === 401 || status === 429)).toBe(true)
    served.advance(20 * MINUTE_MS)
    expect((await post(served, '/api/v1/session', ADMIN)).status).toBe(201)
  })

  it('is counted over all processes on the database', async () => {
    served.advance(20 * MINUTE_MS)
    const postgres = openPostgres(served.connection, { size: 2 })
    const context = { ...served.context, postgres }
    const app = await buildServer(context, { routes: apiRoutes, authenticate: authenticator(context) })
    for (let attempt = 0; attempt < 10; attempt += 1) await post(served, '/api/v1/session', wrong)
    const elsewhere = await app.inject({ method: 'POST', url: '/api/v1/session', payload: ADMIN })
    expect(elsewhere.json()).toMatchObject({ code: 'locked_out' })
    await app.close()
    await postgres.end()
    served.advance(20 * MINUTE_MS)
  })

  it('over many accounts from one address is closed too, and leaves no address or e-mail in the database', async () => {
    const statuses: number[] = []
    for (let attempt = 0; attempt < 11; attempt += 1) {
      statuses.push((await post(served, '/api/v1/session', { ...wrong, email: `guess${attempt}@example.com` })).status)
    }
    expect(statuses.at(-1)).toBe(429)
    const failures = (await dumpDatabase(served))['workspaces.sign_in_failure'] ?? []
    expect(failures.length).toBe(20)
    expect(failures.join()).not.toMatch(/127\.0\.0\.1|guess|example/)
    served.advance(20 * MINUTE_MS)
  })
})

describe('whether an e-mail has an account', () => {
  it('cannot be told from the answer, nor from when sign-in is closed', async () => {
    const answers = async (email: string) => {
      served.advance(20 * MINUTE_MS)
      const bodies: unknown[] = []
      for (let attempt = 0; attempt < 11; attempt += 1) {
        const response = await post(served, '/api/v1/session', { email, password: 'wrong password' })
        const headers = [...response.headers].filter(([name]) => !['date', 'retry-after'].includes(name))
        bodies.push({ body: await response.json(), headers })
      }
      return bodies
    }
    expect(await answers('nobody@example.com')).toEqual(await answers(ADMIN.email))
    served.advance(20 * MINUTE_MS)
  })

  it('cannot be told from the time: the same work is done', async () => {
    const times = async (email: string) => {
      const taken: number[] = []
      for (let attempt = 0; attempt < 9; attempt += 1) {
        served.advance(16 * MINUTE_MS)
        const began = performance.now()
        await post(served, '/api/v1/session', { email, password: 'wrong password' })
        taken.push(performance.now() - began)
      }
      return taken.sort((a, b) => a - b)[4] as number
    }
    const [known, unknown] = [await times(ADMIN.email), await times('nobody@example.com')]
    // Without the decoy an unknown e-mail takes a tenth of the time.
    expect(unknown / known).toBeGreaterThan(0.5)
    expect(unknown / known).toBeLessThan(2)
    served.advance(20 * MINUTE_MS)
  })
})

describe('one’s own account', () => {
  it('takes a new password for the current one, and ends all its sessions', async () => {
    const other = await signIn(served, ADMIN)
    const { client } = await signIn(served, ADMIN)
    const wrong = { currentPassword: 'not this one', password: 'a new password' }
    await expect(client.request('PUT /api/v1/account/password', { body: wrong })).rejects.toBeInstanceOf(ApiError)
    const right = { currentPassword: ADMIN.password, password: 'a new password' }
    await client.request('PUT /api/v1/account/password', { body: right })
    for (const one of [client, other.client]) {
      await expect(one.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
    }
    await expect(signIn(served, ADMIN)).rejects.toThrow('401')
    const again = await signIn(served, { email: ADMIN.email, password: 'a new password' })
    const back = { currentPassword: 'a new password', password: ADMIN.password }
    await again.client.request('PUT /api/v1/account/password', { body: back })
  })

  it('can be renamed', async () => {
    const { client } = await signIn(served, ADMIN)
    const session = await client.request('PATCH /api/v1/account', { body: { name: 'Ada Lovelace' } })
    expect(session.account?.name).toBe('Ada Lovelace')
  })
})
