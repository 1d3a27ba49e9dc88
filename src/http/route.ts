/**
 * Routes are data: from one list come the router, the permission checks, the OpenAPI document and the types of the
 * client. In: a route's description and handler. Out: the same, with its types kept.
 */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { ProblemCode } from '../errors.ts'

export const workspaceRoles = ['viewer', 'editor', 'admin'] as const
/** Each role may do what the ones before it may. */
export type WorkspaceRole = (typeof workspaceRoles)[number]
/**
 * The least role that a route asks for. `public` needs no sign-in at all; `operator` is for what reaches beyond one
 * workspace (backups, rebuilds): admins of the default workspace, and whoever owns the data folder.
 */
export type Access = 'public' | WorkspaceRole | 'operator'

/** Who asks, and in which one workspace: every request concerns exactly one. */
export interface Actor {
  workspaceId: number
  /** The workspace's id in the API. */
  workspaceSlug: string
  role: WorkspaceRole
  isOperator: boolean
  /** `local`: through the Unix socket in the data folder, whose owner may do anything. */
  via: 'session' | 'api_key' | 'local'
  accountId?: string
  apiKeyId?: string
  session?: { tokenHash: Buffer; csrfToken: string }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** A body that is not JSON: read or written as a stream. */
export interface Content {
  contentType: string
}
export const content = (contentType: string): Content => ({ contentType })
export const isContent = (value: z.ZodType | Content): value is Content => 'contentType' in value

/** The response of 204. */
export const nothing = z.void()

type Shape = z.ZodType | Content
export type Responses = Record<number, Shape>
type InputOf<S> = S extends z.ZodType ? z.output<S> : S extends Content ? Readable : undefined
type OutputOf<S> = S extends z.ZodType ? z.input<S> : Readable | Buffer | string

/** A result with a status of its own (where a route has several) or headers. */
export class Answer<Body> {
  readonly status: number
  readonly body: Body
  readonly headers: Record<string, string>
  constructor(status: number, body: Body, headers: Record<string, string>) {
    this.status = status
    this.body = body
    this.headers = headers
  }
}
export const answer = <Body>(status: number, body: Body, headers: Record<string, string> = {}) =>
  new Answer(status, body, headers)

export interface ApiRequest<A extends Access, Params, Query, Body> {
  context: Context
  /** Absent on public routes, where nobody is asked who they are. */
  actor: A extends 'public' ? undefined : Actor
  params: Params
  query: Query
  body: Body
  raw: IncomingMessage
  /** The peer's address, for limits; never `X-Forwarded-For` unless the server was told to trust it. */
  address: string
  /** Aborts when the client goes away or the server closes. */
  signal: AbortSignal
}

export interface Route<
  M extends Method = Method,
  P extends string = string,
  A extends Access = Access,
  Params extends z.ZodObject | undefined = z.ZodObject | undefined,
  Query extends z.ZodObject | undefined = z.ZodObject | undefined,
  Body extends Shape | undefined = Shape | undefined,
  R extends Responses = Responses,
> {
  method: M
  /** OpenAPI's spelling: `/api/v1/sources/{id}`. */
  path: P
  summary: string
  description?: string
  tag: string
  access: A
  /** Values come as text, percent-decoded. */
  params?: Params
  /** Values come as text: use `z.coerce`. Unknown names are refused, so that a misspelt filter cannot go unnoticed. */
  query?: Query
  /** A zod schema is JSON; `content(…)` hands the body over as a stream, without a limit on its length. */
  body?: Body
  /** Default 1 MB; for JSON bodies. */
  bodyBytesMax?: number
  /** By status; when the handler returns a plain value, the first one is answered. */
  responses: R
  /** What this handler itself can answer; those of authentication and validation are added. */
  errors: readonly ProblemCode[]
  handle(
    request: ApiRequest<A, InputOf<Params>, InputOf<Query>, InputOf<Body>>,
  ): Promise<OutputOf<R[keyof R]> | Answer<OutputOf<R[keyof R]>>>
}

/** A route of any types, as the server and the document see it. */
export type AnyRoute = Omit<Route, 'handle'> & { handle(request: never): Promise<unknown> }

/** Keeps the literal types of a route. Throws (a bug) when its path and its `params` name different things. */
export function route<
  const M extends Method,
  const P extends `/${string}`,
  const A extends Access,
  const R extends Responses,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends Shape | undefined = undefined,
>(spec: Route<M, P, A, Params, Query, Body, R>): Route<M, P, A, Params, Query, Body, R> {
  const named = pathParameters(spec.path).sort().join()
  const described = Object.keys(spec.params?.shape ?? {})
    .sort()
    .join()
  if (named !== described) throw new Error(`${spec.path} names {${named}} but its params are {${described}}`)
  return spec
}

/** The names in `/a/{b}/c/{d}`: `['b', 'd']`. */
export const pathParameters = (path: string): string[] =>
  [...path.matchAll(/\{([^}]+)\}/g)].map(match => match[1] as string)

export const isAtLeast = (role: WorkspaceRole, least: WorkspaceRole): boolean =>
  workspaceRoles.indexOf(role) >= workspaceRoles.indexOf(least)

export function mayUse(access: Access, actor: Pick<Actor, 'role' | 'isOperator'> | undefined): boolean {
  if (access === 'public') return true
  if (actor === undefined) return false
  return access === 'operator' ? actor.isOperator : isAtLeast(actor.role, access)
}

/** What a client may send where a route reads a stream. */
export type StreamBody = NonNullable<RequestInit['body']>

/** What a client needs to know of a route's types: what goes in and what comes out. */
export type EndpointOf<R> =
  R extends Route<infer M, infer P, Access, infer Params, infer Query, infer Body, infer Res>
    ? {
        key: `${M} ${P}`
        params: Params extends z.ZodType ? z.input<Params> : undefined
        query: Query extends z.ZodType ? z.input<Query> : undefined
        body: Body extends z.ZodType ? z.input<Body> : Body extends Content ? StreamBody : undefined
        result: SuccessOf<Res>
      }
    : never
type SuccessOf<R extends Responses> = {
  [S in keyof R]: `${S & number}` extends `2${string}`
    ? R[S] extends z.ZodType
      ? z.output<R[S]>
      : ReadableStream<Uint8Array>
    : never
}[keyof R]
