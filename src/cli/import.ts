/** `throughline import FILE --mapping M.json`: sends a file to the server, has it imported, and shows how far it is. */
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { ApiError, type Client } from '../client/index.ts'
import { StartError } from '../errors.ts'
import type { Command, CommandIo } from './command.ts'
import { type Connection, connect, connectArguments, connectUsage } from './connect.ts'
import { followImport, summarise } from './import-progress.ts'

const STDIN = '-'
const PREVIEW_ROWS = 1_000
const INTERRUPTED = 130

const options = {
  ...connectArguments,
  mapping: { type: 'string' },
  source: { type: 'string' },
  name: { type: 'string' },
  rejects: { type: 'string' },
  preview: { type: 'boolean' },
  guess: { type: 'boolean' },
  'no-wait': { type: 'boolean' },
} as const

/** As it was called, checked. */
interface Wish {
  file: string
  name: string
  mapping: object | undefined
  mappingPath: string | undefined
  sourceId: string | undefined
  rejects: string
  mode: 'run' | 'preview' | 'guess'
  isWaiting: boolean
}

export const importFile: Command = {
  summary: 'import a file of people, companies, products or events',
  usage: `Usage: throughline import FILE --mapping MAPPING.json [options]

FILE is CSV, TSV, NDJSON, JSON or Parquet, gzipped or not; - reads it from a pipe. Importing it again changes nothing.

  --mapping FILE     what its columns mean; its lookups are found beside FILE, else beside the mapping
  --guess            print a mapping that likely fits, and why; imports nothing
  --preview          show what the first rows would become; imports nothing
  --source ID        the source that its events come from; else one of the import's name
  --name NAME        default: the name of the mapping
  --rejects OUT      where rows go that could not be imported, each with its reason; FILE.rejects.csv
  --no-wait          end as soon as the server has the file

${connectUsage}`,
  async run(args, io) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [file] = positionals
    const isGuess = values.guess === true
    if (file === undefined || positionals.length > 1 || (values.mapping === undefined && !isGuess)) {
      io.err(importFile.usage)
      return 2
    }
    const mapping = values.mapping === undefined ? undefined : await readMapping(values.mapping)
    const wish: Wish = {
      file,
      name: values.name ?? nameOf(mapping, file),
      mapping,
      mappingPath: values.mapping,
      sourceId: values.source,
      rejects: values.rejects ?? `${file === STDIN ? 'stdin' : file}.rejects`,
      mode: isGuess ? 'guess' : values.preview ? 'preview' : 'run',
      isWaiting: values['no-wait'] !== true,
    }
    if (file !== STDIN && !existsSync(file)) throw new StartError(`There is no file ${file}.`)
    const connection = connect(io, values)
    try {
      return await carryOut(wish, io, connection)
    } catch (error) {
      if (!(error instanceof ApiError) || error.faults.length === 0) throw error
      io.err(error.message)
      for (const fault of error.faults) io.err(`  ${fault.path}: ${fault.message}`)
      if (error.hint !== undefined) io.err(error.hint)
      return 1
    } finally {
      await connection.close()
    }
  },
}

async function readMapping(path: string): Promise<object> {
  const text = await readFile(path, 'utf8').catch(cause => {
    throw new StartError(`The mapping ${path} cannot be read (${cause.code}).`, { cause })
  })
  try {
    const document: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (typeof document === 'object' && document !== null) return document
  } catch {
    // The sentence below says it for both.
  }
  throw new StartError(`The mapping ${path} is not JSON.`, { hint: 'throughline import FILE --guess prints one.' })
}

const nameOf = (mapping: object | undefined, file: string): string =>
  mapping !== undefined && 'name' in mapping && typeof mapping.name === 'string' && mapping.name !== ''
    ? mapping.name
    : file === STDIN
      ? 'import'
      : basename(file)

async function carryOut(wish: Wish, io: CommandIo, { client }: Connection): Promise<number> {
  const { name, mapping, sourceId } = wish
  const { id } = await client.request('POST /api/v1/imports', {
    body: { name, ...(mapping ? { mapping } : {}), ...(sourceId === undefined ? {} : { sourceId }) } as never,
  })
  const params = { id }
  try {
    await sendLookups(wish, client, id)
    await sendFile(wish, io, client, id)
    if (wish.mode !== 'run') {
      await look(wish, io, client, id)
      return 0
    }
    await client.request('POST /api/v1/imports/{id}/runs', { params })
  } catch (error) {
    await client.request('DELETE /api/v1/imports/{id}', { params }).catch(() => {})
    throw error
  } finally {
    if (wish.mode !== 'run') await client.request('DELETE /api/v1/imports/{id}', { params }).catch(() => {})
  }
  return wish.isWaiting ? waitForEnd(wish, io, client, id) : tellGoing(io, id)
}

/** Lookups lie beside the file, else beside the mapping. */
async function sendLookups({ file, mapping, mappingPath }: Wish, client: Client, id: string): Promise<void> {
  const lookups = mapping && 'lookups' in mapping && Array.isArray(mapping.lookups) ? mapping.lookups : []
  for (const lookup of lookups as { as: string; file: string }[]) {
    const folders = [file === STDIN ? '.' : dirname(file), dirname(mappingPath ?? '.')]
    const path = folders.map(folder => join(folder, lookup.file)).find(candidate => existsSync(candidate))
    if (path === undefined) {
      throw new StartError(`The file ${lookup.file}, which the mapping joins to the rows, is missing.`, {
        hint: `Put it beside the file or the mapping: ${[...new Set(folders)].join(' or ')}.`,
      })
    }
    await client.request('PUT /api/v1/imports/{id}/lookups/{as}', {
      params: { id, as: lookup.as },
      query: { name: basename(path) },
      body: Readable.toWeb(createReadStream(path)) as never,
      contentType: 'application/octet-stream',
    })
  }
}

async function sendFile({ file }: Wish, io: CommandIo, client: Client, id: string): Promise<void> {
  const isStdin = file === STDIN
  const total = isStdin ? undefined : (await stat(file)).size
  const source = isStdin ? (io.input ?? Readable.from([])) : createReadStream(file, { highWaterMark: 1024 * 1024 })
  let sent = 0
  async function* counted() {
    for await (const chunk of source) {
      sent += (chunk as Buffer).length
      if (total) io.overwrite?.(`sending the file: ${Math.floor((100 * sent) / total)} %`)
      yield chunk as Buffer
    }
  }
  await client.request('PUT /api/v1/imports/{id}/file', {
    params: { id },
    query: { name: isStdin ? 'stdin' : basename(file) },
    body: Readable.toWeb(Readable.from(counted(), { objectMode: false })) as never,
    contentType: 'application/octet-stream',
  })
  io.overwrite?.('')
}

async function look({ mode }: Wish, io: CommandIo, client: Client, id: string): Promise<void> {
  if (mode === 'guess') {
    const guess = await client.request('POST /api/v1/imports/{id}/guesses', { params: { id }, body: {} })
    io.err(`${guess.kind.kind}: ${guess.kind.reason}`)
    for (const { column, target, reason } of guess.columns) io.err(`  ${column} → ${target ?? '(left out)'}: ${reason}`)
    for (const note of guess.notes) io.err(note)
    io.out(JSON.stringify(guess.mapping, null, 2))
    return
  }
  const body = { rows: PREVIEW_ROWS }
  const preview = await client.request('POST /api/v1/imports/{id}/previews', { params: { id }, body })
  for (const { row, events, reject } of preview.shown) {
    if (reject) io.out(`row ${row}: rejected, ${reject.reason}: ${reject.detail}`)
    for (const event of events ?? []) io.out(`row ${row}: ${JSON.stringify(event)}`)
  }
  for (const column of preview.missingColumns) io.err(`The file has no column "${column}".`)
  const counts = (record: Record<string, number>) => Object.entries(record).map(([key, count]) => `${count} ${key}`)
  io.err(`${preview.rows} rows looked at: ${counts(preview.eventsByName).join(', ') || 'no events'}`)
  for (const line of counts(preview.rejectedByReason)) io.err(`  rejected: ${line}`)
}

function tellGoing(io: CommandIo, id: string): number {
  io.out(`Import ${id} is queued.`)
  io.err(`See how far it is: GET /api/v1/imports/${id}`)
  return 0
}

async function waitForEnd(wish: Wish, io: CommandIo, client: Client, id: string): Promise<number> {
  const interrupted = io.onInterrupt?.()
  const end = await followImport(client, id, io, interrupted)
  if (end === undefined) {
    io.err(`No longer waiting: the server goes on with import ${id}.`)
    io.err(`See how far it is: GET /api/v1/imports/${id}. Stop it: POST /api/v1/imports/${id}/stops.`)
    return INTERRUPTED
  }
  for (const line of summarise(end)) io.out(line)
  if (end.rejected > 0) {
    const isFlat = end.format?.type === 'csv' || end.format?.type === 'tsv'
    const path = /\.(csv|ndjson)$/.test(wish.rejects) ? wish.rejects : `${wish.rejects}.${isFlat ? 'csv' : 'ndjson'}`
    const stream = await client.request('GET /api/v1/imports/{id}/rejects', { params: { id } })
    await pipeline(Readable.fromWeb(stream as never), createWriteStream(path, { mode: 0o600 }))
    io.out(`Rejected rows, each with its reason: ${path}. Mend them there and import that file.`)
  }
  if (end.state === 'done') return 0
  io.err(end.error?.message ?? `The import was stopped. It goes on with POST /api/v1/imports/${id}/runs.`)
  return 1
}
