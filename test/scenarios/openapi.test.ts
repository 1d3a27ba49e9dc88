/** The document of the API: whole, well-formed, and the same every time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { problemStatus } from '../../src/errors.ts'
import { describeRoutes, errorsOf } from '../../src/http/openapi.ts'
import { type AnyRoute, isContent } from '../../src/http/route.ts'
import { apiRoutes } from '../../src/routes.ts'
import { type Served, serve } from '../serve.ts'

const routes: readonly AnyRoute[] = apiRoutes

/** The parts of OpenAPI 3.1 that we use, as strictly as its specification has them. */
const schemaObject = z.record(z.string(), z.unknown())
const mediaTypes = z.record(z.string().regex(/^[\w-]+\/[\w.+*-]+(; .*)?$/), z.strictObject({ schema: schemaObject }))
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z0-9]*$/),
  summary: z.string().min(1),
  description: z.string().optional(),
  tags: z.array(z.string()).min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  'x-access': z.string(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(['path', 'query']),
        required: z.boolean(),
        description: z.string().optional(),
        schema: schemaObject,
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.boolean(), content: mediaTypes }).optional(),
  responses: z.record(
    z.string().regex(/^[1-5]\d\d$/),
    z.strictObject({ description: z.string().min(1), content: mediaTypes.optional() }),
  ),
})
const document = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string() })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  tags: z.array(z.strictObject({ name: z.string() })),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'put', 'patch', 'delete']), operation),
  ),
  components: z.strictObject({
    securitySchemes: z.record(z.string(), z.record(z.string(), z.string())),
    schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), schemaObject),
  }),
})

let served: Served
let text: string
let parsed: z.infer<typeof document>
beforeAll(async () => {
  served = await serve()
  text = await (await fetch(`${served.baseUrl}/api/openapi.json`)).text()
  parsed = document.parse(JSON.parse(text))
})
afterAll(() => served.close())

const operationOf = (route: AnyRoute) => parsed.paths[route.path]?.[route.method.toLowerCase() as 'get']

describe('the OpenAPI document', () => {
  it.each(routes.map(route => [`${route.method} ${route.path}`, route] as const))(
    'has %s with all that goes in, comes out and goes wrong',
    (_, route) => {
      const described = operationOf(route)
      const parameters = described?.parameters?.map(parameter => `${parameter.in} ${parameter.name}`) ?? []
      const wanted = [
        ...Object.keys(route.params?.shape ?? {}).map(name => `path ${name}`),
        ...Object.keys(route.query?.shape ?? {}).map(name => `query ${name}`),
      ]
      expect(parameters).toEqual(wanted)
      expect(described?.requestBody !== undefined).toBe(route.body !== undefined)
      expect(described?.security).toEqual(route.access === 'public' ? [] : undefined)
      for (const [status, shape] of Object.entries(route.responses)) {
        const media = Object.keys(described?.responses[status]?.content ?? {})
        expect(media.length > 0).toBe(isContent(shape) || !(shape instanceof z.ZodVoid))
      }
      for (const code of errorsOf(route)) {
        const response = described?.responses[String(problemStatus[code])]
        expect(JSON.stringify(response?.content?.['application/problem+json'])).toContain(`"${code}"`)
      }
    },
  )

  it('names each operation once, and refers only to what it has', () => {
    const operations = Object.values(parsed.paths).flatMap(item => Object.values(item))
    expect(operations.length).toBe(routes.length + 4)
    const ids = operations.map(one => one?.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const referred = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(match => match[1]))
    for (const reference of referred) {
      const name = reference?.replace('#/components/schemas/', '') ?? ''
      expect([reference, name in parsed.components.schemas]).toEqual([reference, true])
    }
    expect(Object.keys(parsed.components.schemas)).toContain('Problem')
    expect(Object.keys(parsed.components.securitySchemes)).toEqual(['bearer', 'cookie'])
  })

  it('is the same to the byte, in whatever order the routes stand', () => {
    const once = JSON.stringify(describeRoutes(routes, '1.0.0'))
    expect(JSON.stringify(describeRoutes([...routes].reverse(), '1.0.0'))).toBe(once)
  })
})
