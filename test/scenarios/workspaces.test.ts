/** Workspaces, their people and their keys, as an admin meets them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/index.ts'
import { authenticator, firstStart } from '../../src/workspaces/index.ts'
import { ADMIN, ADMIN_KEY, dumpDatabase, type Served, serve, signIn, WRITE_KEY } from '../serve.ts'

const MINUTE_MS = 60_000
const password = 'a fine password'

let served: Served
let client: Client
let anyone: Client
beforeAll(async () => {
  served = await serve()
  client = served.client
  anyone = createClient({ baseUrl: served.baseUrl })
})
afterAll(() => served.close())

const myId = async () =>
  (await client.request('GET /api/v1/users')).data.find(user => user.email === ADMIN.email)?.id ?? ''

describe('the first start', () => {
  it('makes a workspace, its admin, a source and the API key that the settings name', async () => {
    expect(served.first).toMatchObject({ isNew: true, adminEmail: ADMIN.email, writeKey: WRITE_KEY })
    expect(served.first.adminPassword).toBeUndefined()
    expect(await client.request('GET /api/v1/workspaces/{id}', { params: { id: 'default' } })).toMatchObject({
      name: 'Default',
    })
    const sources = await client.request('GET /api/v1/sources')
    expect(sources.data).toMatchObject([{ id: 'website', kind: 'http', writeKey: WRITE_KEY, isEnabled: true }])
  })

  it('changes nothing when it happens again, whatever the settings say by then', async () => {
    const before = await dumpDatabase(served)
    const config = { ...served.context.config, first: { adminEmail: 'eve@example.com', adminPassword: password } }
    const again = await firstStart({ ...served.context, config })
    expect(again).toEqual({ isNew: false, workspaceId: served.first.workspaceId, writeKey: WRITE_KEY })
    expect(await dumpDatabase(served)).toEqual(before)
  })

  it('of several processes at once makes one workspace, and generates what no setting gives', async () => {
    const fresh = await serve()
    await fresh.context.postgres.query('truncate workspaces.workspace, workspaces.account, sources.source cascade')
    const context = { ...fresh.context, config: { ...fresh.context.config, first: {} } }
    const starts = await Promise.all([firstStart(context), firstStart(context), firstStart(context)])
    const [made] = starts.filter(start => start.isNew)
    expect(starts.filter(start => start.isNew)).toHaveLength(1)
    expect(new Set(starts.map(start => start.writeKey)).size).toBe(1)
    expect(made?.adminPassword).toMatch(/^[\w-]{20}$/)
    await signIn(fresh, { email: made?.adminEmail ?? '', password: made?.adminPassword ?? '' })
    const keys = await fresh.context.postgres.query('select from workspaces.workspace where length(identity_key) = 32')
    expect(keys.rowCount).toBe(1)
    await fresh.close()
  })
})

describe('users', () => {
  it('made by an admin can sign in, and their e-mail is theirs alone', async () => {
    const user = { email: 'Grace@Example.com', name: 'Grace', role: 'editor' as const, password }
    const made = await client.request('POST /api/v1/users', { body: user })
    expect(made).toMatchObject({ email: 'grace@example.com', role: 'editor' })
    expect((await signIn(served, { email: 'grace@example.com', password })).csrfToken).toMatch(/^[\w-]{43}$/)
    await expect(client.request('POST /api/v1/users', { body: user })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('may do at once what their new role allows, and no more', async () => {
    const id = (await client.request('GET /api/v1/users')).data.find(user => user.name === 'Grace')?.id ?? ''
    const grace = await signIn(served, { email: 'grace@example.com', password })
    await grace.client.request('POST /api/v1/sources', { body: { name: 'By Grace' } })
    await client.request('PATCH /api/v1/users/{id}', { params: { id }, body: { role: 'viewer' } })
    const refused = grace.client.request('POST /api/v1/sources', { body: { name: 'By Grace' } })
    await expect(refused).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('who forgot their password get a new one, and their sessions end', async () => {
    const id = (await client.request('GET /api/v1/users')).data.find(user => user.name === 'Grace')?.id ?? ''
    const before = await signIn(served, { email: 'grace@example.com', password })
    const body = { password: 'another password' }
    await client.request('PUT /api/v1/users/{id}/password', { params: { id }, body })
    await expect(before.client.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
    await signIn(served, { email: 'grace@example.com', password: 'another password' })
  })

  it('who are removed are out at once, and forgotten when they belong nowhere else', async () => {
    const id = (await client.request('GET /api/v1/users')).data.find(user => user.name === 'Grace')?.id ?? ''
    const grace = await signIn(served, { email: 'grace@example.com', password: 'another password' })
    await client.request('DELETE /api/v1/users/{id}', { params: { id } })
    await expect(grace.client.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
    expect(JSON.stringify(await dumpDatabase(served))).not.toContain('grace@example.com')
  })

  it('always keep one admin, also when two leave at the same time', async () => {
    const id = await myId()
    const alone = client.request('DELETE /api/v1/users/{id}', { params: { id } })
    await expect(alone).rejects.toMatchObject({ code: 'conflict' })
    const demoted = client.request('PATCH /api/v1/users/{id}', { params: { id }, body: { role: 'viewer' } })
    await expect(demoted).rejects.toMatchObject({ code: 'conflict' })

    const second = { email: 'heidi@example.com', name: 'Heidi', role: 'admin' as const, password }
    const heidi = await client.request('POST /api/v1/users', { body: second })
    const both = [id, heidi.id].map(one =>
      client.request('PATCH /api/v1/users/{id}', { params: { id: one }, body: { role: 'editor' } }),
    )
    const outcomes = await Promise.allSettled(both)
    expect(outcomes.map(outcome => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
    const admins = (await client.request('GET /api/v1/users')).data.filter(user => user.role === 'admin')
    expect(admins).toHaveLength(1)
    for (const one of [id, heidi.id]) {
      await client.request('PATCH /api/v1/users/{id}', { params: { id: one }, body: { role: 'admin' } })
    }
  })

  it('are listed page by page, each once', async () => {
    for (let number = 0; number < 5; number += 1) {
      const user = { email: `many${number}@example.com`, name: `Many ${number}`, role: 'viewer' as const, password }
      await client.request('POST /api/v1/users', { body: user })
    }
    const names: string[] = []
    for await (const user of client.each('GET /api/v1/users', { query: { limit: 2 } })) names.push(user.name)
    expect(names.filter(name => name.startsWith('Many'))).toEqual(['Many 0', 'Many 1', 'Many 2', 'Many 3', 'Many 4'])
    expect(names.length).toBe(new Set(names).size)
  })
})

describe('an invitation', () => {
  const invite = (email: string) => client.request('POST /api/v1/invitations', { body: { email, role: 'viewer' } })
  const accept = (token: string) =>
    anyone.request('POST /api/v1/invitation-acceptances', { body: { token, name: 'Judy', password } })

  it('lets in once, whoever holds its token', async () => {
    const { token } = await invite('judy@example.com')
    const both = await Promise.allSettled([accept(token), accept(token)])
    expect(both.map(outcome => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(accept(token)).rejects.toMatchObject({ code: 'not_found' })
    const { client: judy } = await signIn(served, { email: 'judy@example.com', password })
    expect((await judy.request('GET /api/v1/session')).role).toBe('viewer')
  })

  it('is void after seven days, or when it was withdrawn', async () => {
    const [late, withdrawn] = [await invite('late@example.com'), await invite('withdrawn@example.com')]
    await client.request('DELETE /api/v1/invitations/{id}', { params: { id: withdrawn.id } })
    await expect(accept(withdrawn.token)).rejects.toMatchObject({ code: 'not_found' })
    served.advance(7 * 24 * 60 * MINUTE_MS)
    await expect(accept(late.token)).rejects.toMatchObject({ code: 'not_found' })
    expect((await client.request('GET /api/v1/invitations')).data).toEqual([])
  })

  it('is stored without its token', async () => {
    const { token } = await invite('kept@example.com')
    const dump = JSON.stringify(await dumpDatabase(served))
    expect(dump).toContain('kept@example.com')
    expect(dump).not.toContain(token)
    expect(dump).not.toContain(Buffer.from(token).toString('hex'))
  })
})

describe('an API key', () => {
  it('is shown once, works, and is stored as a hash', async () => {
    const made = await client.request('POST /api/v1/api-keys', { body: { name: 'Export', role: 'viewer' } })
    expect(made.key).toMatch(/^tlk_[\w-]{43}$/)
    expect(made.key.startsWith(made.prefix)).toBe(true)
    const session = await createClient({ baseUrl: served.baseUrl, apiKey: made.key }).request('GET /api/v1/session')
    expect(session).toMatchObject({ via: 'api_key', role: 'viewer', account: null, csrfToken: null })
    const dump = JSON.stringify(await dumpDatabase(served))
    for (const key of [made.key, ADMIN_KEY]) {
      expect(dump).not.toContain(key)
      expect(dump).not.toContain(Buffer.from(key).toString('hex'))
    }
    expect(served.logged.join('')).not.toContain(made.key)
    const listed = await client.request('GET /api/v1/api-keys')
    expect(JSON.stringify(listed)).not.toContain(made.key)
  })

  it('ends at once when it is revoked', async () => {
    const made = await client.request('POST /api/v1/api-keys', { body: { name: 'Short', role: 'admin' } })
    const short = createClient({ baseUrl: served.baseUrl, apiKey: made.key })
    await short.request('GET /api/v1/session')
    await client.request('DELETE /api/v1/api-keys/{id}', { params: { id: made.id } })
    await expect(short.request('GET /api/v1/session')).rejects.toMatchObject({ code: 'invalid_credentials' })
  })

  it('says when it was last used, to the minute, without a write for each request', async () => {
    const made = await client.request('POST /api/v1/api-keys', { body: { name: 'Used', role: 'viewer' } })
    const used = createClient({ baseUrl: served.baseUrl, apiKey: made.key })
    const read = async () =>
      (await client.request('GET /api/v1/api-keys')).data.find(key => key.id === made.id)?.lastUsedAt
    expect(await read()).toBeNull()
    await used.request('GET /api/v1/session')
    const first = await read()
    expect(first).not.toBeNull()
    served.advance(30_000)
    await used.request('GET /api/v1/session')
    expect(await read()).toBe(first)
    served.advance(31_000)
    await used.request('GET /api/v1/session')
    expect(await read()).not.toBe(first)
  })

  it('costs the database nothing for some seconds after it was used', async () => {
    const authenticate = authenticator(served.context)
    const authorization = `Bearer ${ADMIN_KEY}`
    const credentials = { authorization, cookie: undefined, workspace: undefined, address: '192.0.2.1', isLocal: false }
    await authenticate(credentials)
    expect(authenticate(credentials)).not.toBeInstanceOf(Promise)
    served.advance(5_000)
    expect(authenticate(credentials)).toBeInstanceOf(Promise)
  })

  it('cannot be guessed without end from one address', async () => {
    const guess = (number: number) => createClient({ baseUrl: served.baseUrl, apiKey: `tlk_guess_${number}` })
    const codes = new Set<string>()
    for (let number = 0; number < 130; number += 1) {
      await guess(number)
        .request('GET /api/v1/session')
        .catch(error => codes.add(error.code))
    }
    expect([...codes]).toEqual(['invalid_credentials', 'rate_limited'])
    await client.request('GET /api/v1/session')
    served.advance(60_000)
  })
})

describe('a workspace', () => {
  it('made by a person has that person as its admin, and nothing of any other', async () => {
    const ada = await signIn(served, ADMIN)
    const made = await ada.client.request('POST /api/v1/workspaces', { body: { name: 'Süd & West' } })
    expect(made.id).toBe('sud-west')
    expect((await ada.client.request('POST /api/v1/workspaces', { body: { name: 'Süd West' } })).id).toBe('sud-west-2')
    await ada.client.request('PUT /api/v1/session', { body: { workspaceId: made.id } })
    expect((await ada.client.request('GET /api/v1/sources')).data).toEqual([])
    expect((await ada.client.request('GET /api/v1/users')).data.map(user => user.email)).toEqual([ADMIN.email])
    const body = { name: 'South' }
    expect(await ada.client.request('PATCH /api/v1/workspaces/{id}', { params: { id: made.id }, body })).toMatchObject(
      body,
    )
  })

  it('that is archived lets nobody in any more, by session, key or invitation', async () => {
    const ada = await signIn(served, ADMIN)
    await ada.client.request('PUT /api/v1/session', { body: { workspaceId: 'sud-west' } })
    const { key } = await ada.client.request('POST /api/v1/api-keys', { body: { name: 'Key', role: 'admin' } })
    const { token } = await ada.client.request('POST /api/v1/invitations', {
      body: { email: 'never@example.com', role: 'admin' },
    })
    const byKey = createClient({ baseUrl: served.baseUrl, apiKey: key })
    await byKey.request('GET /api/v1/session')
    await byKey.request('DELETE /api/v1/workspaces/{id}', { params: { id: 'sud-west' } })
    await expect(byKey.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
    await expect(ada.client.request('GET /api/v1/session')).rejects.toMatchObject({ status: 401 })
    const acceptance = { token, name: 'Never', password }
    await expect(anyone.request('POST /api/v1/invitation-acceptances', { body: acceptance })).rejects.toMatchObject({
      code: 'not_found',
    })
    const again = await signIn(served, ADMIN)
    const workspaces = await again.client.request('GET /api/v1/workspaces')
    expect(workspaces.data.map(workspace => workspace.id)).toEqual(['default', 'sud-west-2'])
  })

  it('called default stays', async () => {
    const archived = client.request('DELETE /api/v1/workspaces/{id}', { params: { id: 'default' } })
    await expect(archived).rejects.toMatchObject({ code: 'conflict' })
  })
})
