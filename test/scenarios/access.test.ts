/** Who may do what, and in whose workspace: generated from the list of routes, so that a new one cannot be forgotten. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/index.ts'
import { type AnyRoute, isAtLeast, type WorkspaceRole, workspaceRoles } from '../../src/http/route.ts'
import { apiRoutes } from '../../src/routes.ts'
import { createWorkspace } from '../../src/workspaces/index.ts'
import { ADMIN, dumpDatabase, type Served, serve, signIn } from '../serve.ts'

const routes: readonly AnyRoute[] = apiRoutes
const keyOf = (route: AnyRoute) => `${route.method} ${route.path}`
const NOBODYS_ID = '00000000-0000-4000-8000-000000000000'

/** Routes that anyone may ask, and those that change something although a viewer may: all of one's own self. */
const open = ['POST /api/v1/session', 'POST /api/v1/invitation-acceptances']
const ownSelf = [
  'PUT /api/v1/session',
  'DELETE /api/v1/session',
  'PATCH /api/v1/account',
  'PUT /api/v1/account/password',
]

let served: Served
let other: { client: Client; key: string; ids: string[] }
const keys = {} as Record<WorkspaceRole, string>

beforeAll(async () => {
  served = await serve()
  for (const role of workspaceRoles) {
    const made = await served.client.request('POST /api/v1/api-keys', { body: { name: role, role } })
    keys[role] = made.key
    const user = { email: `${role}@example.com`, name: role, role, password: 'a fine password' }
    await served.client.request('POST /api/v1/users', { body: user })
  }
  other = await fillOtherWorkspace()
})
afterAll(() => served.close())

/** A second workspace with an admin of its own and one of each thing. */
async function fillOtherWorkspace() {
  const { context, baseUrl } = served
  const workspace = await createWorkspace(context, { name: 'Southwind', adminIds: [] })
  const admin = { email: 'grace@example.com', password: 'a fine password' }
  const invitation = await inviteInto(workspace.id, admin.email)
  const acceptance = { token: invitation, name: 'Grace', password: admin.password }
  await createClient({ baseUrl }).request('POST /api/v1/invitation-acceptances', { body: acceptance })
  const { client } = await signIn(served, admin)
  const source = await client.request('POST /api/v1/sources', { body: { name: 'Southwind shop' } })
  const apiKey = await client.request('POST /api/v1/api-keys', { body: { name: 'Southwind key', role: 'admin' } })
  const user = { email: 'heidi@example.com', name: 'Heidi', role: 'viewer' as const, password: 'a fine password' }
  const member = await client.request('POST /api/v1/users', { body: user })
  const open = await client.request('POST /api/v1/invitations', { body: { email: 'ivan@example.com', role: 'viewer' } })
  return { client, key: apiKey.key, ids: [workspace.slug, source.id, apiKey.id, member.id, open.id] }
}

async function inviteInto(workspaceId: number, email: string): Promise<string> {
  const { invite } = await import('../../src/workspaces/manage.ts')
  return (await invite(served.context, workspaceId, { email, role: 'admin' })).token
}

const send = (route: AnyRoute, id: string, headers: Record<string, string>, body: unknown = {}) =>
  fetch(`${served.baseUrl}${route.path.replaceAll(/\{\w+\}/g, encodeURIComponent(id))}`, {
    method: route.method,
    headers: { ...headers, ...(route.body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(route.body === undefined ? {} : { body: JSON.stringify(body) }),
  })

/** Written out here, apart from the server's own rule: the keys and users of this test are of the default workspace. */
const isMeantToPass = (route: AnyRoute, role: WorkspaceRole) => {
  if (route.access === 'public') return true
  return route.access === 'operator' ? role === 'admin' : isAtLeast(role, route.access)
}

/** Refused for who one is, rather than for what one asked. */
async function isRefused(response: Response): Promise<boolean> {
  if (response.status !== 401 && response.status !== 403) return false
  const problem = (await response.json()) as { code: string; detail: string }
  return problem.code === 'not_signed_in' || (problem.code === 'forbidden' && problem.detail.includes('needs the role'))
}

describe('every route', () => {
  it('has an access rule, and is open to all only where that is meant', () => {
    for (const route of routes)
      expect([keyOf(route), ['public', 'operator', ...workspaceRoles]]).toEqual([
        keyOf(route),
        expect.arrayContaining([route.access]),
      ])
    expect(routes.filter(route => route.access === 'public').map(keyOf)).toEqual(open)
  })

  it('that changes anything asks for more than a viewer, but for one’s own self', () => {
    const changing = routes.filter(route => route.method !== 'GET' && route.access === 'viewer').map(keyOf)
    expect(changing).toEqual(ownSelf)
  })

  it('about keys, users and invitations asks for an admin, but for seeing one’s colleagues', () => {
    const guarded = routes.filter(route => /api-keys|users|invitations/.test(route.path) && route.access !== 'admin')
    expect(guarded.map(keyOf)).toEqual(['GET /api/v1/users', 'GET /api/v1/users/{id}'])
  })

  it.each(routes.map(route => [keyOf(route), route] as const))(
    '%s lets in who may, and nobody else',
    async (_, route) => {
      expect(await isRefused(await send(route, NOBODYS_ID, {}))).toBe(route.access !== 'public')
      for (const role of workspaceRoles) {
        const byKey = await send(route, NOBODYS_ID, { authorization: `Bearer ${keys[role]}` })
        expect([role, await isRefused(byKey)]).toEqual([role, !isMeantToPass(route, role)])
        const browser = await signIn(served, { email: `${role}@example.com`, password: 'a fine password' })
        const bySession = await send(route, NOBODYS_ID, { cookie: browser.cookie, 'x-csrf-token': browser.csrfToken })
        expect([role, await isRefused(bySession)]).toEqual([role, !isMeantToPass(route, role)])
        expect([byKey.status, bySession.status]).not.toContain(500)
      }
    },
  )

  it.each(routes.map(route => [keyOf(route), route] as const))(
    '%s refuses wrong, empty and stale credentials',
    async (_, route) => {
      if (route.access === 'public') return
      for (const authorization of [
        'Bearer nothing-like-a-key',
        'Bearer ',
        'Basic abc',
        '',
        `Bearer ${'x'.repeat(5_000)}`,
      ]) {
        expect((await send(route, NOBODYS_ID, { authorization })).status).toBe(401)
      }
      expect((await send(route, NOBODYS_ID, { cookie: 'throughline_session=stale' })).status).toBe(401)
    },
  )
})

/** What shows many things at once; a stream of what happens never ends, and is tested where it is made. */
const isList = (route: AnyRoute) =>
  route.method === 'GET' && !route.path.includes('{') && !JSON.stringify(route.responses[200]).includes('event-stream')

describe('another workspace', () => {
  const bodies: Record<string, unknown> = {
    'PATCH /api/v1/workspaces/{id}': { name: 'Taken over' },
    'PATCH /api/v1/users/{id}': { role: 'viewer' },
    'PUT /api/v1/users/{id}/password': { password: 'taken over now' },
    'PATCH /api/v1/sources/{id}': { name: 'Taken over', isEnabled: false },
  }

  /** Every row of the other workspace in any table, itself, and the accounts of its people. */
  const rowsOfOther = async () => {
    const { postgres } = served.context
    const { rows } = await postgres.query<{ id: number }>(
      `select id from workspaces.workspace where slug = 'southwind'`,
    )
    const tables = await postgres.query<{ name: string }>(
      `select format('%I.%I', c.table_schema, c.table_name) as name
       from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where c.column_name = 'workspace_id' and t.table_type = 'BASE TABLE'
       order by 1`,
    )
    const owned: string[] = []
    for (const { name } of tables.rows) {
      const select = `select t::text as row from ${name} t where workspace_id = $1 order by 1`
      const found = await postgres.query<{ row: string }>(select, [rows[0]?.id])
      owned.push(...found.rows.map(({ row }) => `${name} ${row}`))
    }
    const shared = await dumpDatabase(served)
    const people = shared['workspaces.account']?.filter(row => /grace|heidi/.test(row)) ?? []
    const itself = shared['workspaces.workspace']?.filter(row => row.includes('southwind')) ?? []
    return [...owned, ...people, ...itself]
  }

  it.each(routes.filter(route => route.path.includes('{')).map(route => [keyOf(route), route] as const))(
    'is out of reach of %s, with every id of it',
    async (key, route) => {
      const before = await rowsOfOther()
      expect(before.length).toBeGreaterThan(5)
      for (const id of other.ids) {
        const response = await send(route, id, { authorization: `Bearer ${keys.admin}` }, bodies[key])
        // Where ids are words that each workspace chooses (a trait), one's own of that name may be made.
        const isOwnWord = route.path.includes('{trait}')
        expect([id, response.status, isOwnWord || [400, 404].includes(response.status)]).toEqual([
          id,
          response.status,
          true,
        ])
        expect(await response.text()).not.toMatch(/southwind shop|grace|heidi|ivan/i)
      }
      expect(await rowsOfOther()).toEqual(before)
    },
  )

  it.each(routes.map(route => [keyOf(route), route] as const))(
    'has no say over the whole installation by %s',
    async (_, route) => {
      if (route.access !== 'operator') return
      expect(await isRefused(await send(route, NOBODYS_ID, { authorization: `Bearer ${other.key}` }))).toBe(true)
    },
  )

  it('answers its own admin under the same ids, so that the ids above were good ones', async () => {
    const [workspace, source, , user] = other.ids as [string, string, string, string]
    await other.client.request('GET /api/v1/workspaces/{id}', { params: { id: workspace } })
    await other.client.request('GET /api/v1/sources/{id}', { params: { id: source } })
    await other.client.request('GET /api/v1/users/{id}', { params: { id: user } })
  })

  // Lists that are the same for everybody: their samples name the people of all examples.
  const isOwnList = (route: AnyRoute) => isList(route) && route.path !== '/api/v1/webhook-presets'
  it.each(routes.filter(isOwnList).map(route => [keyOf(route), route] as const))(
    'does not show in %s',
    async (_, route) => {
      const ours = await (await send(route, '', { authorization: `Bearer ${keys.admin}` })).text()
      expect(ours).not.toMatch(/southwind|grace|heidi|ivan/i)
      const theirs = await (await send(route, '', { authorization: `Bearer ${other.key}` })).text()
      expect(theirs).not.toMatch(/website|ada@|viewer@/i)
    },
  )

  it('cannot be switched to, nor chosen at sign-in, nor named in a header', async () => {
    const [workspaceId] = other.ids as [string]
    const browser = await signIn(served, ADMIN)
    const switched = browser.client.request('PUT /api/v1/session', { body: { workspaceId } })
    await expect(switched).rejects.toMatchObject({ code: 'not_found' })
    const into = createClient({ baseUrl: served.baseUrl }).request('POST /api/v1/session', {
      body: { ...ADMIN, workspaceId },
    })
    await expect(into).rejects.toMatchObject({ code: 'forbidden' })
    const headers = { authorization: `Bearer ${keys.admin}`, 'throughline-workspace': workspaceId }
    const session = await fetch(`${served.baseUrl}/api/v1/session`, { headers })
    expect(await session.json()).toMatchObject({ workspace: { id: 'default' } })
  })

  it('gives the same source id to each, and changes only one’s own', async () => {
    const theirs = await other.client.request('POST /api/v1/sources', { body: { name: 'Website' } })
    expect(theirs.id).toBe('website')
    await served.client.request('PATCH /api/v1/sources/{id}', { params: { id: 'website' }, body: { name: 'Ours' } })
    const again = await other.client.request('GET /api/v1/sources/{id}', { params: { id: 'website' } })
    expect(again).toEqual(theirs)
    await served.client.request('PATCH /api/v1/sources/{id}', { params: { id: 'website' }, body: { name: 'Website' } })
  })
})

describe('one person in two workspaces', () => {
  it('has the role of each in each, and moves between them', async () => {
    const token = await other.client
      .request('POST /api/v1/invitations', { body: { email: 'editor@example.com', role: 'viewer' } })
      .then(invitation => invitation.token)
    const anyone = createClient({ baseUrl: served.baseUrl })
    const guess = { token, password: 'not their password' }
    await expect(anyone.request('POST /api/v1/invitation-acceptances', { body: guess })).rejects.toMatchObject({
      code: 'invalid_credentials',
    })
    const acceptance = { token, password: 'a fine password' }
    await anyone.request('POST /api/v1/invitation-acceptances', { body: acceptance })
    const { client } = await signIn(served, { email: 'editor@example.com', password: 'a fine password' })
    expect((await client.request('GET /api/v1/session')).role).toBe('editor')
    await client.request('POST /api/v1/sources', { body: { name: 'Till' } })
    const there = await client.request('PUT /api/v1/session', { body: { workspaceId: 'southwind' } })
    expect(there).toMatchObject({ role: 'viewer', workspace: { id: 'southwind' } })
    expect(there.workspaces.map(workspace => workspace.id).sort()).toEqual(['default', 'southwind'])
    await expect(client.request('POST /api/v1/sources', { body: { name: 'Till' } })).rejects.toMatchObject({
      code: 'forbidden',
    })
    const user = await client.request('GET /api/v1/users').then(page => page.data.find(one => one.name === 'editor'))
    expect(user?.role).toBe('viewer')
  })

  it('cannot be given a new password by the admin of either', async () => {
    const page = await served.client.request('GET /api/v1/users')
    const id = page.data.find(user => user.email === 'editor@example.com')?.id ?? ''
    const reset = served.client.request('PUT /api/v1/users/{id}/password', {
      params: { id },
      body: { password: 'taken over now' },
    })
    await expect(reset).rejects.toMatchObject({ code: 'forbidden' })
  })
})
