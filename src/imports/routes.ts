/** HTTP of file imports. */
import { createReadStream } from 'node:fs'
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { decodeCursor, pageFrom, pageOf, pageQuery } from '../http/page.ts'
import { answer, content, nothing, route } from '../http/route.ts'
import { jsonSchema } from '../spec/json.ts'
import { hasFile, rejectsExtension, rejectsOf } from './files.ts'
import {
  fileFormatSchema,
  importSchema,
  importStates,
  importSummarySchema,
  presentImport,
  presentSummary,
} from './import.ts'
import { formatSchema } from './layout.ts'
import { storedMapping } from './load.ts'
import { guessImport, previewImport } from './look.ts'
import {
  checkMapping,
  createImport,
  needImport,
  patchImport,
  putFile,
  putLookup,
  removeImport,
  runAgain,
  stopRun,
} from './manage.ts'
import { kinds } from './mapping.ts'
import { PREVIEW_ROWS_MAX } from './preview.ts'
import { listImports } from './store.ts'

const NAME_CHARACTERS_MAX = 100
const FILE_NAME_CHARACTERS_MAX = 255
/** A mapping may name thousands of columns. */
const MAPPING_BYTES_MAX = 4 * 1024 * 1024
const PREVIEW_ROWS = 1_000
const PREVIEW_SHOWN = 20
const PREVIEW_SHOWN_MAX = 100

const printable = /^\P{Cc}*$/u
const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(NAME_CHARACTERS_MAX)
  .regex(printable, 'must not hold control characters')
const fileNameSchema = z
  .string()
  .max(FILE_NAME_CHARACTERS_MAX)
  .regex(printable, 'must not hold control characters')
  .describe('What the file is called: shown to people, and a hint for guesses.')
const sourceIdSchema = z.string().max(48).describe('Without it: the source of the same name, made when there is none.')
const mappingSchema = jsonSchema.describe('A mapping document; docs/guides/import.md describes it.')
const idParams = z.object({ id: z.uuid() })
const lookupParams = z.object({
  id: z.uuid(),
  as: z
    .string()
    .max(64)
    .regex(/^[A-Za-z][A-Za-z0-9_]*$/),
})
const afterSchema = z.object({ createdAt: z.iso.datetime(), id: z.uuid() })

const rejectSchema = z.object({ reason: z.string(), detail: z.string(), column: z.string().optional() })
const anyObject = z.record(z.string(), jsonSchema)

const guessSchema = z.object({
  mapping: anyObject.describe('Likely fits: a start, to be looked at with a preview.'),
  kind: z.object({ kind: z.enum(kinds), confidence: z.number(), reason: z.string() }),
  columns: z.array(
    z.object({
      column: z.string(),
      role: z.string(),
      target: z.string().optional().describe('Where it goes in the mapping; absent where it is left out.'),
      type: z.string(),
      identifies: z.boolean(),
      confidence: z.number(),
      reason: z.string(),
      question: jsonSchema.optional().describe('What only a person can answer, with the possible answers.'),
    }),
  ),
  notes: z.array(z.string()),
  format: fileFormatSchema,
  rows: z.number().int().describe('How many rows were looked at.'),
})

const previewSchema = z.object({
  rows: z.number().int().describe('How many rows were looked at.'),
  shown: z.array(
    z.object({ row: z.number().int(), events: z.array(anyObject).optional(), reject: rejectSchema.optional() }),
  ),
  rejects: z.array(z.object({ row: z.number().int(), reject: rejectSchema })),
  rejectedByReason: z.record(z.string(), z.number().int()),
  eventsByName: z.record(z.string(), z.number().int()),
  users: z.number().int(),
  personless: z.number().int().describe('Events that belong to nobody.'),
  repeated: z.number().int().describe('Events whose messageId an earlier row has: they would not be stored.'),
  columns: z.array(
    z.object({
      column: z.string(),
      filled: z.number().int(),
      empty: z.number().int(),
      distinct: z.number().int(),
      examples: z.array(z.string()),
      longest: z.number().int().describe('In characters.'),
      rejected: z.number().int().describe('Rows that were rejected because of this column.'),
    }),
  ),
  format: fileFormatSchema,
  missingColumns: z.array(z.string()).describe('Columns that the mapping names and the file does not have.'),
})

const resourceRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/imports',
    summary: 'List imports, newest first',
    tag: 'imports',
    access: 'viewer',
    query: z.object({ ...pageQuery, state: z.enum(importStates).optional() }),
    responses: { 200: pageOf(importSummarySchema) },
    errors: [],
    handle: async ({ context, actor, query }) => {
      const after = decodeCursor(afterSchema, query.cursor)
      const page = { after, limit: query.limit + 1, state: query.state }
      const rows = await listImports(context.postgres, actor.workspaceId, page)
      return pageFrom(rows.map(presentSummary), query.limit, ({ createdAt, id }) => ({ createdAt, id }))
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/imports',
    summary: 'Make an import: then send its file, and run it',
    tag: 'imports',
    access: 'editor',
    body: z.strictObject({ name: nameSchema, sourceId: sourceIdSchema.optional(), mapping: mappingSchema.optional() }),
    bodyBytesMax: MAPPING_BYTES_MAX,
    responses: { 201: importSchema },
    errors: ['conflict', 'unprocessable'],
    handle: async ({ context, actor, body }) => presentImport(await createImport(context, actor, body)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/imports/{id}',
    summary: 'An import, and how far it is',
    tag: 'imports',
    access: 'viewer',
    params: idParams,
    responses: { 200: importSchema },
    errors: [],
    handle: async ({ context, actor, params }) => presentImport(await needImport(context, actor, params.id)),
  }),
  route({
    method: 'PATCH',
    path: '/api/v1/imports/{id}',
    summary: 'Rename an import, or give it another source or mapping: its next run then begins at the first row',
    tag: 'imports',
    access: 'editor',
    params: idParams,
    body: z.strictObject({
      name: nameSchema.optional(),
      sourceId: sourceIdSchema.optional(),
      mapping: mappingSchema.optional(),
    }),
    bodyBytesMax: MAPPING_BYTES_MAX,
    responses: { 200: importSchema },
    errors: ['conflict', 'unprocessable'],
    handle: async ({ context, actor, params, body }) =>
      presentImport(await patchImport(context, actor, params.id, body)),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/imports/{id}',
    summary: 'Remove an import and its files; its events stay',
    tag: 'imports',
    access: 'editor',
    params: idParams,
    responses: { 204: nothing },
    errors: ['conflict'],
    handle: ({ context, actor, params }) => removeImport(context, actor, params.id),
  }),
] as const

const fileRoutes = [
  route({
    method: 'PUT',
    path: '/api/v1/imports/{id}/file',
    summary: 'Send the file: CSV, TSV, NDJSON, JSON or Parquet, gzipped or not',
    description: 'The body is the file as it is, of any length and content type; format and encoding are told from it.',
    tag: 'imports',
    access: 'editor',
    params: idParams,
    query: z.object({ name: fileNameSchema.default('file') }),
    body: content('application/octet-stream'),
    responses: { 200: importSchema },
    errors: ['conflict', 'too_large'],
    handle: async ({ context, actor, params, query, body }) =>
      presentImport(await putFile(context, actor, params.id, { name: query.name, stream: body })),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/imports/{id}/lookups/{as}',
    summary: 'Send a small file that the mapping joins to the rows',
    tag: 'imports',
    access: 'editor',
    params: lookupParams,
    query: z.object({ name: fileNameSchema.default('lookup') }),
    body: content('application/octet-stream'),
    responses: { 200: importSchema },
    errors: ['conflict', 'too_large'],
    handle: async ({ context, actor, params, query, body }) => {
      const lookup = { as: params.as, name: query.name, stream: body }
      return presentImport(await putLookup(context, actor, params.id, lookup))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/imports/{id}/rejects',
    summary: 'The rejected rows as a file, each with its reason: mended, it can be imported in its turn',
    description: 'CSV for flat files, else NDJSON. While the import runs, those so far.',
    tag: 'imports',
    access: 'viewer',
    params: idParams,
    responses: { 200: content('text/csv') },
    errors: [],
    handle: async ({ context, actor, params }) => {
      const row = await needImport(context, actor, params.id)
      const path = row.format && rejectsOf(context, row.id, row.format.type)
      if (!row.format || !path || row.rejectsBytes === 0 || !(await hasFile(path))) {
        throw new Problem('not_found', 'No row of this import is kept as rejected.')
      }
      const extension = rejectsExtension(row.format.type)
      // What stands behind belongs to rows that may come again.
      return answer(200, createReadStream(path, { end: row.rejectsBytes - 1 }), {
        'content-type': extension === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
        'content-disposition': disposition(`${row.fileName ?? row.name}.rejects.${extension}`),
      })
    },
  }),
] as const

/** Any name, for any client: in ASCII, and as it is. */
const disposition = (name: string) =>
  `attachment; filename="${name.replaceAll(/[^A-Za-z0-9._ -]/g, '_')}"; filename*=UTF-8''${encodeURIComponent(name.toWellFormed()).replaceAll("'", '%27')}`

const runRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/imports/{id}/guesses',
    summary: 'A mapping that likely fits the file, with how sure each part is, and why',
    tag: 'imports',
    access: 'editor',
    params: idParams,
    body: z.strictObject({ format: formatSchema.optional().describe('What is known about the file.') }),
    responses: { 200: guessSchema },
    errors: ['unprocessable'],
    handle: async ({ context, actor, params, body }) => {
      const row = await needImport(context, actor, params.id)
      return (await guessImport(context, row, body.format)) as z.input<typeof guessSchema>
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/imports/{id}/previews',
    summary: 'What the first rows would become; nothing is stored',
    tag: 'imports',
    access: 'editor',
    params: idParams,
    body: z.strictObject({
      mapping: mappingSchema.optional().describe('Without it, the one of the import.'),
      rows: z.int().min(1).max(PREVIEW_ROWS_MAX).default(PREVIEW_ROWS),
      shown: z.int().min(0).max(PREVIEW_SHOWN_MAX).default(PREVIEW_SHOWN),
    }),
    bodyBytesMax: MAPPING_BYTES_MAX,
    responses: { 200: previewSchema },
    errors: ['unprocessable'],
    handle: async ({ context, actor, params, body }) => {
      const row = await needImport(context, actor, params.id)
      if (body.mapping === undefined && row.mapping === null) throw noMapping()
      const mapping = body.mapping === undefined ? storedMapping(row.mapping) : checkMapping(body.mapping)
      return (await previewImport(context, row, mapping, body)) as z.input<typeof previewSchema>
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/imports/{id}/runs',
    summary: 'Run it: from the first row, or from where an earlier run was interrupted',
    description:
      'What keeps it from beginning is answered 422, all of it at once. Asking again while it runs changes nothing.',
    tag: 'imports',
    access: 'editor',
    params: idParams,
    responses: { 202: importSchema },
    errors: ['unprocessable'],
    handle: async ({ context, actor, params }) => presentImport(await runAgain(context, actor, params.id)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/imports/{id}/stops',
    summary: 'Stop it; what is stored stays, and it can go on later',
    tag: 'imports',
    access: 'editor',
    params: idParams,
    responses: { 202: importSchema },
    errors: [],
    handle: async ({ context, actor, params }) => presentImport(await stopRun(context, actor, params.id)),
  }),
] as const

const noMapping = () =>
  new Problem('unprocessable', 'There is no mapping yet.', {
    hint: 'Send one as `mapping`; POST …/guesses proposes one.',
    faults: [{ path: 'mapping', message: 'There is no mapping yet.' }],
  })

export const importRoutes = [...resourceRoutes, ...fileRoutes, ...runRoutes] as const
