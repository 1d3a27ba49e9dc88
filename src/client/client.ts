/**
 * The API as typed calls, for the command line, the web app and tests. In: a route's method and path, and what it asks
 * for. Out: what it answers, or an ApiError. Only types come from the server's code, so nothing of it is bundled.
 */
import type { EndpointOf } from '../http/route.ts'
import type { ApiRoutes } from '../routes.ts'

interface AnyEndpoint {
  key: string
  params: unknown
  query: unknown
  body: unknown
  result: unknown
}
type Endpoints<Routes extends readonly unknown[]> = {
  [E in EndpointOf<Routes[number]> as E['key']]: E
}
type Given<E extends AnyEndpoint> = (E['params'] extends undefined ? unknown : { params: E['params'] }) &
  (E['query'] extends undefined ? unknown : { query?: E['query'] }) &
  (E['body'] extends undefined ? unknown : { body: E['body'] }) & { signal?: AbortSignal; contentType?: string }
/** What must be given may be left out altogether when every part of it may. */
type Arguments<E extends AnyEndpoint> = object extends Given<E> ? [given?: Given<E>] : [given: Given<E>]
type ItemOf<Result> = Result extends { data: (infer Item)[]; nextCursor: string | null } ? Item : never

export interface Client<Routes extends readonly unknown[] = ApiRoutes> {
  /** One call: `request('PATCH /api/v1/sources/{id}', { params: { id }, body: { isEnabled: false } })`. */
  request<K extends keyof Endpoints<Routes> & string>(
    key: K,
    ...given: Endpoints<Routes>[K] extends AnyEndpoint ? Arguments<Endpoints<Routes>[K]> : never
  ): Promise<Endpoints<Routes>[K] extends AnyEndpoint ? Endpoints<Routes>[K]['result'] : never>
  /** Every item of a list, page after page, read as they are asked for. */
  each<K extends keyof Endpoints<Routes> & string>(
    key: K,
    ...given: Endpoints<Routes>[K] extends AnyEndpoint ? Arguments<Endpoints<Routes>[K]> : never
  ): AsyncGenerator<Endpoints<Routes>[K] extends AnyEndpoint ? ItemOf<Endpoints<Routes>[K]['result']> : never>
}

export interface ClientOptions {
  /** `http://127.0.0.1:7070`; empty for pages of the server itself. */
  baseUrl: string
  apiKey?: string
  /** For pages that are signed in by cookie: the csrfToken of GET /api/v1/session, asked for at each call. */
  csrfToken?: () => string | undefined
  /** The workspace that calls through the data folder's socket mean. */
  workspace?: string
  fetch?: typeof globalThis.fetch
}

/** An answer that is no success, as the server explained it. */
export class ApiError extends Error {
  readonly status: number
  /** A code of the server's list; `unknown` when something between here and there answered. */
  readonly code: string
  readonly hint: string | undefined
  readonly faults: { path: string; message: string }[]
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, problem: Partial<ProblemAnswer>, retryAfter: string | null) {
    super(problem.detail ?? `The server answered ${status}.`)
    this.name = 'ApiError'
    this.status = status
    this.code = problem.code ?? 'unknown'
    this.hint = problem.hint
    this.faults = problem.faults ?? []
    this.retryAfterSeconds = retryAfter === null ? undefined : Number(retryAfter)
  }
}
interface ProblemAnswer {
  code: string
  detail: string
  hint: string
  faults: { path: string; message: string }[]
}

interface Call {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
  signal?: AbortSignal
  /** Of a streamed body; anything else is sent as JSON. */
  contentType?: string
}

/** Every call is one request: nothing is retried, kept or cached here. */
export function createClient<Routes extends readonly unknown[] = ApiRoutes>(options: ClientOptions): Client<Routes> {
  const send = options.fetch ?? globalThis.fetch
  const call = async (key: string, given: Call = {}): Promise<unknown> => {
    const [method = '', path = ''] = key.split(' ')
    const response = await send(addressOf(options.baseUrl, path, given), {
      method,
      headers: headersOf(options, given),
      ...bodyOf(given),
      ...(given.signal === undefined ? {} : { signal: given.signal }),
    })
    return readAnswer(response)
  }
  async function* each(key: string, given: Call = {}): AsyncGenerator<unknown> {
    let cursor = given.query?.cursor
    do {
      const query = { ...given.query, cursor }
      const page = (await call(key, { ...given, query })) as { data: unknown[]; nextCursor: string | null }
      yield* page.data
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
  }
  return { request: call, each } as unknown as Client<Routes>
}

function addressOf(baseUrl: string, path: string, { params, query }: Call): string {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(String(params?.[name])))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, String(one))
  }
  return `${baseUrl.replace(/\/$/, '')}${filled}${search.size > 0 ? `?${search}` : ''}`
}

function headersOf(options: ClientOptions, { body, contentType }: Call): Record<string, string> {
  const csrfToken = options.csrfToken?.()
  return {
    accept: 'application/json',
    ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
    ...(options.workspace === undefined ? {} : { 'throughline-workspace': options.workspace }),
    ...(csrfToken === undefined ? {} : { 'x-csrf-token': csrfToken }),
    ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
  }
}

function bodyOf({ body, contentType }: Call): RequestInit {
  if (body === undefined) return {}
  if (contentType === undefined) return { body: JSON.stringify(body) }
  // A stream can only be sent when the answer need not wait for its end.
  return { body: body as NonNullable<RequestInit['body']>, duplex: 'half' } as RequestInit
}

async function readAnswer(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok) {
    const isProblem = type.startsWith('application/problem+json')
    const problem = isProblem ? ((await response.json()) as Partial<ProblemAnswer>) : {}
    if (!isProblem) await response.body?.cancel()
    throw new ApiError(response.status, problem, response.headers.get('retry-after'))
  }
  if (response.status === 204) return undefined
  return type.startsWith('application/json') ? response.json() : response.body
}
