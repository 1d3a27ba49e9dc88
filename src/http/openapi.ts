/** In: the list of routes. Out: their OpenAPI 3.1 document; the same list always gives the same bytes. */
import { z } from 'zod'
import { type ProblemCode, problemStatus } from '../errors.ts'
import { PROBLEM_CONTENT_TYPE, problemSchema } from './problem.ts'
import { type AnyRoute, isContent, pathParameters } from './route.ts'

type JsonSchema = Record<string, unknown>
interface Components {
  schemas: Record<string, JsonSchema>
}
export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string }[]
  security: Record<string, string[]>[]
  tags: { name: string }[]
  paths: Record<string, Record<string, JsonSchema>>
  components: { securitySchemes: Record<string, JsonSchema>; schemas: Record<string, JsonSchema> }
}

const description =
  'Send an API key as `Authorization: Bearer <key>`, or sign in with POST /api/v1/session and send the cookie, ' +
  'with the header `x-csrf-token` on everything but GET. Errors are `application/problem+json`. Lists are ' +
  '`{ data, nextCursor }`: pass `nextCursor` back as `cursor` until it is null.'

export function describeRoutes(routes: readonly AnyRoute[], version: string): OpenApiDocument {
  const components: Components = { schemas: { Problem: jsonSchema(problemSchema, 'output', { schemas: {} }) } }
  const sorted = [...routes].sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method))
  const paths: OpenApiDocument['paths'] = {}
  for (const route of sorted) {
    const item = paths[route.path] ?? {}
    paths[route.path] = item
    item[route.method.toLowerCase()] = describeRoute(route, components)
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Throughline', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { cookie: [] }],
    tags: [...new Set(sorted.map(route => route.tag))].sort(compare).map(name => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key; it belongs to one workspace and has a role.',
        },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'throughline_session',
          description: 'Set by POST /api/v1/session; `__Host-throughline_session` over https.',
        },
      },
      schemas: Object.fromEntries(Object.entries(components.schemas).sort(([a], [b]) => compare(a, b))),
    },
  }
}

function describeRoute(route: AnyRoute, components: Components): JsonSchema {
  const parameters = [
    ...describeParameters(route.params, 'path', components),
    ...describeParameters(route.query, 'query', components),
  ]
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    ...(route.access === 'public' ? { security: [] } : {}),
    'x-access': route.access,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: describeContent(route.body, 'input', components) } }),
    responses: describeResponses(route, components),
  }
}

/** `GET /api/v1/sources/{id}` → `getSourcesById`. */
function operationId(route: AnyRoute): string {
  const words = route.path
    .replace(/^\/api(\/v\d+)?/, '')
    .replaceAll(/\{([^}]+)\}/g, 'by-$1')
    .split(/[^A-Za-z0-9]+/)
    .filter(word => word !== '')
  return route.method.toLowerCase() + words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function describeParameters(schema: z.ZodObject | undefined, where: 'path' | 'query', components: Components) {
  if (schema === undefined) return []
  const described = jsonSchema(schema, 'input', components)
  const properties = (described.properties ?? {}) as Record<string, JsonSchema>
  const required = new Set((described.required ?? []) as string[])
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.has(name),
    schema: property,
  }))
}

function describeContent(shape: NonNullable<AnyRoute['body']>, io: 'input' | 'output', components: Components) {
  if (isContent(shape)) return { [shape.contentType]: { schema: {} } }
  return { 'application/json': { schema: jsonSchema(shape, io, components) } }
}

function describeResponses(route: AnyRoute, components: Components): JsonSchema {
  const responses: JsonSchema = {}
  for (const [status, shape] of Object.entries(route.responses)) {
    const isEmpty = !isContent(shape) && shape instanceof z.ZodVoid
    responses[status] = {
      description: statusWords[status] ?? 'The answer.',
      ...(isEmpty ? {} : { content: describeContent(shape, 'output', components) }),
    }
  }
  for (const [status, codes] of Object.entries(Object.groupBy(errorsOf(route), code => String(problemStatus[code])))) {
    const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }] }
    const own = responses[status] as { content?: JsonSchema } | undefined
    responses[status] = {
      description: (codes ?? []).join(', '),
      content: { ...own?.content, [PROBLEM_CONTENT_TYPE]: { schema } },
    }
  }
  return responses
}

/** What a route can answer besides success: what its handler names, and what stands before every handler. */
export function errorsOf(route: AnyRoute): ProblemCode[] {
  const codes = new Set<ProblemCode>(route.errors)
  if (route.params ?? route.query ?? route.body) codes.add('invalid_request')
  if (route.query && 'cursor' in route.query.shape) codes.add('invalid_cursor')
  if (pathParameters(route.path).length > 0) codes.add('not_found')
  if (route.access !== 'public') codes.add('not_signed_in').add('invalid_credentials')
  if (route.access !== 'public' && route.access !== 'viewer') codes.add('forbidden')
  if (route.method !== 'GET') codes.add('csrf')
  if (route.body !== undefined && !isContent(route.body)) {
    for (const code of ['invalid_json', 'too_large', 'unsupported_media_type'] as const) codes.add(code)
  }
  for (const code of ['rate_limited', 'internal', 'unavailable'] as const) codes.add(code)
  return [...codes].sort((a, b) => problemStatus[a] - problemStatus[b] || compare(a, b))
}

/** JSON Schema 2020-12 of a zod schema; schemas with `.meta({ id })` become components that are referred to. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', components: Components): JsonSchema {
  const {
    $schema: _,
    $defs,
    ...rest
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // A date travels as text; JSON Schema has no other word for it.
      if (zodSchema instanceof z.ZodDate) Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
    },
  }) as JsonSchema
  for (const [id, definition] of Object.entries(($defs ?? {}) as Record<string, JsonSchema>)) {
    const { $schema: _schema, id: _id, ...body } = definition
    components.schemas[id] = pointToComponents(body) as JsonSchema
  }
  return pointToComponents(rest) as JsonSchema
}

function pointToComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointToComponents)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, inner.replace('#/$defs/', '#/components/schemas/')]
        : [key, pointToComponents(inner)],
    ),
  )
}

const statusWords: Record<string, string> = {
  '200': 'Found, or done.',
  '201': 'Made.',
  '202': 'Accepted; the work goes on.',
  '204': 'Done; there is nothing to say.',
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
