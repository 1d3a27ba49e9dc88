/** In: routes, plugins and checks. Out: a server that answers them, ends cleanly, and says how it is. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyReply, type FastifyRequest } from 'fastify'
import { Registry } from 'prom-client'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { type ApiOptions, type Authenticate, BODY_BYTES_MAX, mountRoutes } from './api.ts'
import { apiHeaders } from './headers.ts'
import { measureRequests } from './metrics.ts'
import { describeRoutes } from './openapi.ts'
import { failureForLog, PROBLEM_CONTENT_TYPE, problemBody, problemFrom } from './problem.ts'
import type { AnyRoute } from './route.ts'
import { watchSlowBodies } from './slow.ts'
import { isLocal, listenOnSocket, type SocketListener } from './socket.ts'
import { systemRoutes } from './system.ts'

/** Throws (or rejects) when this part cannot do its work. */
export type ReadinessCheck = () => Promise<unknown> | unknown

export interface ServerOptions {
  routes: readonly AnyRoute[]
  authenticate: Authenticate
  /**
   * Endpoints outside the API. Each is a scope of its own: its content-type parsers, body limit, hooks and CORS touch
   * nothing else; errors that it throws are answered as problems unless it sets its own error handler.
   */
  plugins?: readonly FastifyPluginAsync[]
  readiness?: Record<string, ReadinessCheck>
  registry?: Registry
  version?: string
  checkResponses?: boolean
  limits?: ApiOptions['limits']
}

const HEADERS_TIMEOUT_MS = 8_000
/** How often Node looks for connections whose time is up; with the time itself: gone within 10 seconds. */
const TIMEOUT_CHECK_MS = 1_000
const KEEP_ALIVE_TIMEOUT_MS = 72_000
const CONNECTIONS_MAX = 10_000
const PARAMETER_CHARACTERS_MAX = 2_048
/** After this, connections that are still at work are cut: a stop must end. */
const DRAIN_MS = 10_000
const UNAVAILABLE_LOG_EVERY_MS = 10_000

export async function buildServer(context: Context, options: ServerOptions): Promise<FastifyInstance> {
  const registry = options.registry ?? new Registry()
  const fail = answerFailures(context)
  const app = Fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: BODY_BYTES_MAX,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    requestTimeout: 0,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (error, request, reply) => fail(error, request, reply),
  })
  app.server.maxConnections = CONNECTIONS_MAX
  watchSlowBodies(app.server, () => performance.now())
  measureRequests(app, registry)
  endConnectionsOnClose(app)
  const methodsAt = rememberPaths(app)

  app.setErrorHandler(fail)
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsAt(request.url)
    if (methods.length > 0) reply.header('allow', methods.join(', '))
    fail(methods.length > 0 ? wrongMethod(request, methods) : nothingHere(), request, reply)
  })

  const system = systemRoutes({ readiness: options.readiness ?? {}, registry, document: () => document })
  const routes = [...system, ...options.routes]
  const document = JSON.stringify(describeRoutes(routes, options.version ?? '0.1.0'))
  mountRoutes(app, routes, context, {
    authenticate: options.authenticate,
    isLocal: request => isLocal(request.raw.socket),
    checkResponses: options.checkResponses ?? false,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  for (const plugin of options.plugins ?? []) await app.register(plugin)
  await app.ready()
  return app
}

const socketListeners = new WeakMap<FastifyInstance, SocketListener>()

/**
 * Serves the same app on `<dataDir>/throughline.sock`; requests through it are the local administrator's. Closes with
 * the app. False where the path is too long for a socket.
 */
export async function serveOnSocket(app: FastifyInstance, path: string): Promise<boolean> {
  const listener = await listenOnSocket(path, (request, response) => app.routing(request, response))
  if (listener !== undefined) socketListeners.set(app, listener)
  return listener !== undefined
}

type Fail = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void

/** Answers anything thrown as a problem. Bugs are logged with an id; a database that is away, once a while. */
function answerFailures(context: Context): Fail {
  let unavailableLoggedAt = Number.NEGATIVE_INFINITY
  return (error, request, reply) => {
    const problem = problemFrom(error)
    const errorId = problem.code === 'internal' ? context.uuid() : undefined
    const isGone = request.raw.destroyed && !request.raw.complete
    const isRepeated = problem.code === 'unavailable' && context.now() - unavailableLoggedAt < UNAVAILABLE_LOG_EVERY_MS
    if (problem.status >= 500 && !isGone && !isRepeated) {
      if (problem.code === 'unavailable') unavailableLoggedAt = context.now()
      const route = request.routeOptions?.url ?? 'unknown'
      const failure = failureForLog(problem.cause)
      context.log.error({ errorId, code: problem.code, method: request.method, route, failure }, 'request failed')
    }
    if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds))
    reply
      .headers(apiHeaders)
      .code(problem.status)
      .type(PROBLEM_CONTENT_TYPE)
      .send(JSON.stringify(problemBody(problem, errorId)))
  }
}

/**
 * On close: streams hear of it through their signal; a connection at work ends after its answer, or its keep-alive
 * would hold us; whatever still works after a while is cut, on both listeners.
 */
function endConnectionsOnClose(app: FastifyInstance): void {
  let isClosing = false
  let socketClosed: Promise<void> | undefined
  // Browsers open connections in advance; one that has said nothing yet has nothing to lose.
  const silent = new Set<Duplex>()
  app.server.on('connection', socket => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  app.server.on('request', request => silent.delete(request.socket))
  app.addHook('preClose', async () => {
    isClosing = true
    for (const socket of silent) socket.destroy()
    socketClosed = socketListeners.get(app)?.close(DRAIN_MS)
    const timer = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
    app.server.once('close', () => clearTimeout(timer))
    timer.unref()
  })
  app.addHook('onClose', () => socketClosed)
  app.addHook('onResponse', (request, _reply, done) => {
    if (isClosing) request.raw.socket.end()
    done()
  })
}

/** Bytes that are not HTTP, or whose headers took too long, never reach a route. */
function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('too_large', 'The headers are too large.')
      : new Problem('invalid_request', 'This is not HTTP as it should be, or it came too slowly.')
  const body = JSON.stringify(problemBody(problem))
  const head = `HTTP/1.1 ${problem.status} Bad Request\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\nconnection: close`
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** Which methods an address has, so that a wrong one is 405 rather than 404. Asked only after nothing matched. */
function rememberPaths(app: FastifyInstance): (url: string) => string[] {
  const paths = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', route => {
    const known = paths.get(route.url) ?? { pattern: patternOf(route.url), methods: new Set<string>() }
    for (const method of [route.method].flat()) known.methods.add(method)
    paths.set(route.url, known)
  })
  return url => {
    const path = url.split('?')[0] ?? ''
    const methods = [...paths.values()].filter(known => known.pattern.test(path)).flatMap(known => [...known.methods])
    return [...new Set(methods)].sort()
  }
}

const patternOf = (url: string) =>
  new RegExp(
    `^${url
      .replaceAll(/[.+?^$()|[\]\\{}]/g, '\\$&')
      .replaceAll(/:[A-Za-z]\w*/g, '[^/]+')
      .replaceAll('*', '.*')}$`,
  )

const wrongMethod = (request: FastifyRequest, methods: string[]) =>
  new Problem('method_not_allowed', `This address does not answer ${request.method}.`, {
    hint: `It answers ${methods.join(', ')}.`,
  })
const nothingHere = () =>
  new Problem('not_found', 'There is nothing at this address.', { hint: 'GET /api/openapi.json lists what there is.' })
