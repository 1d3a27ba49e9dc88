/** In: routes as data. Out: the same on the server, each behind its checks: who, may they, from where, how often, what. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { type BucketLimits, Buckets } from './bucket.ts'
import { apiHeaders } from './headers.ts'
import { isForged } from './origin.ts'
import { faultsFrom } from './problem.ts'
import { type Actor, Answer, type AnyRoute, isContent, mayUse } from './route.ts'

export const BODY_BYTES_MAX = 1024 * 1024

/** Finds out who asks; undefined when the request carries no credentials. Throws a Problem when they are wrong. */
export type Authenticate = (request: Credentials) => Promise<Actor | undefined> | Actor | undefined
export interface Credentials {
  authorization: string | undefined
  cookie: string | undefined
  /** Chooses the workspace, by its id in the API; for the local administrator only. */
  workspace: string | undefined
  address: string
  isLocal: boolean
}

export interface ApiOptions {
  authenticate: Authenticate
  isLocal(request: FastifyRequest): boolean
  /** Tests only: a response that does not fit its schema is answered as a bug. */
  checkResponses: boolean
  /** By API key, account or, for nobody, address. */
  limits?: { known?: BucketLimits; unknown?: BucketLimits }
}

const KNOWN_LIMITS: BucketLimits = { perSecond: 10_000, burst: 20_000, callersMax: 10_000 }
const UNKNOWN_LIMITS: BucketLimits = { perSecond: 50, burst: 300, callersMax: 10_000 }
const WORKSPACE_HEADER = 'throughline-workspace'

/** Mounts the routes inside one scope of their own, so that nothing here touches the endpoints of plugins. */
export function mountRoutes(app: FastifyInstance, routes: readonly AnyRoute[], context: Context, options: ApiOptions) {
  const known = new Buckets(options.limits?.known ?? KNOWN_LIMITS)
  const unknown = new Buckets(options.limits?.unknown ?? UNKNOWN_LIMITS)
  const actors = new WeakMap<FastifyRequest, Actor>()
  const live = new Set<AbortController>()
  app.addHook('preClose', async () => {
    for (const controller of live) controller.abort()
  })

  const identify = (route: AnyRoute, request: FastifyRequest) => {
    if (route.access === 'public') return undefined
    return options.authenticate({
      authorization: request.headers.authorization,
      cookie: request.headers.cookie,
      workspace: textOf(request.headers[WORKSPACE_HEADER]),
      address: addressOf(request),
      isLocal: options.isLocal(request),
    })
  }
  const admit = async (route: AnyRoute, request: FastifyRequest) => {
    const actor = await identify(route, request)
    limit(actor, addressOf(request))
    if (actor === undefined && route.access !== 'public') throw notSignedIn()
    if (isForged(route.method, request.headers, actor)) throw forged()
    if (!mayUse(route.access, actor)) throw notAllowed(route, actor)
    if (actor !== undefined) actors.set(request, actor)
  }
  const limit = (actor: Actor | undefined, address: string) => {
    if (actor?.via === 'local') return
    const caller = actor?.apiKeyId ?? actor?.accountId
    const waitSeconds = caller === undefined ? unknown.take(address, context.now()) : known.take(caller, context.now())
    if (waitSeconds > 0) throw tooMany(waitSeconds)
  }

  const mount = (scope: FastifyInstance, route: AnyRoute) => {
    const parse = compileInput(route)
    const check = options.checkResponses ? checkResponse : undefined
    const status = Number(Object.keys(route.responses)[0])
    scope.route({
      method: route.method,
      url: route.path.replaceAll(/\{([^}]+)\}/g, ':$1'),
      bodyLimit: route.bodyBytesMax ?? BODY_BYTES_MAX,
      onRequest: async (request, reply) => {
        reply.headers(apiHeaders)
        await admit(route, request)
      },
      handler: async (request, reply) => {
        const input = parse(request)
        const result = await route.handle({
          context,
          actor: actors.get(request),
          ...input,
          raw: request.raw,
          address: addressOf(request),
          get signal() {
            return signalOf(reply, live)
          },
        } as never)
        const answer = result instanceof Answer ? result : new Answer(status, result, {})
        check?.(route, answer)
        return respond(route, reply, answer)
      },
    })
  }

  const [streamed, parsed] = partition(routes, route => route.body !== undefined && isContent(route.body))
  app.register(async scope => {
    // A body in any other type is refused: what a plain HTML form can send must not reach a handler.
    scope.removeContentTypeParser('text/plain')
    for (const route of parsed) mount(scope, route)
  })
  app.register(async scope => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    for (const route of streamed) mount(scope, route)
  })
}

/** Checks path, query and body together, so that every fault is reported at once. */
function compileInput(route: AnyRoute) {
  const params = route.params
  const query = route.query?.strict()
  const body = route.body !== undefined && !isContent(route.body) ? route.body : undefined
  return (request: FastifyRequest) => {
    const results = {
      params: params?.safeParse(request.params),
      query: query?.safeParse(request.query),
      body: body?.safeParse(request.body),
    }
    const faults = [
      ...(results.params?.error ? faultsFrom(results.params.error, 'path.') : []),
      ...(results.query?.error ? faultsFrom(results.query.error, 'query.') : []),
      ...(results.body?.error ? faultsFrom(results.body.error, '') : []),
    ]
    if (faults.length > 0) {
      const words = faults.length === 1 ? 'One field is not valid.' : `${faults.length} fields are not valid.`
      throw new Problem('invalid_request', words, { faults })
    }
    return {
      params: results.params?.data,
      query: results.query?.data,
      body: body === undefined ? (route.body === undefined ? undefined : request.body) : results.body?.data,
    }
  }
}

function respond(route: AnyRoute, reply: FastifyReply, { status, body, headers }: Answer<unknown>): unknown {
  reply.code(status).headers(headers)
  const shape = route.responses[status]
  if (shape !== undefined && isContent(shape)) {
    if (!reply.hasHeader('content-type')) reply.type(shape.contentType)
    return reply.send(body)
  }
  if (body === undefined) return reply.send()
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(body))
}

function checkResponse(route: AnyRoute, { status, body }: Answer<unknown>): void {
  const shape = route.responses[status]
  if (shape === undefined)
    throw new TypeError(`${route.method} ${route.path} answers ${status}, which it does not list`)
  if (isContent(shape)) return
  const result = strictly(shape).safeParse(body)
  if (!result.success) {
    const where = result.error.issues.map(issue => `${issue.path.map(String).join('.')}: ${issue.code}`)
    throw new TypeError(`${route.method} ${route.path} answers ${status} out of shape: ${where.join('; ')}`)
  }
}

/** An answer must not carry fields that its schema does not name: they would be undocumented, or leaked. */
const strictly = (shape: z.ZodType): z.ZodType => (shape instanceof z.ZodObject ? shape.strict() : shape)

function signalOf(reply: FastifyReply, live: Set<AbortController>): AbortSignal {
  const controller = new AbortController()
  live.add(controller)
  reply.raw.once('close', () => {
    live.delete(controller)
    controller.abort()
  })
  return controller.signal
}

const notSignedIn = () =>
  new Problem('not_signed_in', 'This needs a sign-in or an API key.', {
    hint: 'Send `Authorization: Bearer <API key>`, or sign in.',
  })
const forged = () =>
  new Problem('csrf', 'This request did not come from a page of this server, or lacks its token.', {
    hint: 'Send the csrfToken of GET /api/v1/session as the header x-csrf-token.',
  })
const notAllowed = (route: AnyRoute, actor: Actor | undefined) =>
  new Problem('forbidden', `This needs the role ${route.access}; yours is ${actor?.role}.`, {
    hint:
      route.access === 'operator'
        ? 'It reaches beyond one workspace: only admins of the default workspace may, or the CLI on the server itself.'
        : 'Ask an admin of this workspace.',
  })
const tooMany = (retryAfterSeconds: number) =>
  new Problem('rate_limited', 'Too many requests in a short time.', { retryAfterSeconds })

/** A Unix socket has no address. */
const addressOf = (request: FastifyRequest) => request.ip ?? 'local'
const textOf = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined)

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter(item => !test(item))]
}
