/** A further workspace of a running world, with an API key and a source of its own. */
import { API_KEY, type World, WRITE_KEY } from './world.ts'

export interface Workspace {
  /** In rows of the databases. */
  id: number
  send(...calls: object[]): Promise<void>
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  get<T>(path: string): Promise<T>
}

/** With the keys of a workspace. Keys outlive a restart of the world. */
function workspaceOf(world: World, id: number, keys: { apiKey: string; writeKey: string }): Workspace {
  const request: Workspace['request'] = async (method, path, body) => {
    const response = await fetch(world.running.url + path, {
      method,
      headers: {
        authorization: `Bearer ${keys.apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
  }
  return {
    id,
    request,
    async get<T>(path: string) {
      const { status, body } = await request('GET', path)
      if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`)
      return body as T
    },
    async send(...calls) {
      const response = await fetch(`${world.running.url}/v1/batch`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${keys.writeKey}:`)}` },
        body: JSON.stringify({ batch: calls }),
      })
      if (response.status !== 200) throw new Error(`the batch was answered ${response.status}`)
    },
  }
}

export const defaultWorkspaceOf = (world: World): Workspace =>
  workspaceOf(world, 1, { apiKey: API_KEY, writeKey: WRITE_KEY })

/** A new one, made through the API by the world's admin. */
export async function openWorkspace(world: World, name: string): Promise<Workspace> {
  const made = await world.client.request('POST /api/v1/workspaces', { body: { name } })
  const { adminEmail: email, adminPassword: password } = world.config.first
  const signedIn = await fetch(`${world.running.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, workspaceId: made.id }),
  })
  const { csrfToken } = (await signedIn.json()) as { csrfToken: string }
  const headers = {
    cookie: signedIn.headers.get('set-cookie')?.split(';')[0] ?? '',
    'x-csrf-token': csrfToken,
    'content-type': 'application/json',
  }
  const create = async <T>(path: string, body: object) => {
    const response = await fetch(world.running.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (response.status !== 201) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }
  const { key } = await create<{ key: string }>('/api/v1/api-keys', { name: 'Test', role: 'admin' })
  const { writeKey } = await create<{ writeKey: string }>('/api/v1/sources', { name: 'Website' })
  const row = await world.running.context.postgres.query<{ id: number }>(
    'select id from workspaces.workspace where slug = $1',
    [made.id],
  )
  if (!row.rows[0]) throw new Error('the workspace was not made')
  return workspaceOf(world, row.rows[0].id, { apiKey: key, writeKey })
}
