/**
 * The files of imports, below `imports/<id>` in the data folder: the file as it was sent, the small ones beside it, and
 * the rows that were rejected. Only the owner of the data folder can read them.
 */
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import type { FormatType } from './layout.ts'

/** Largest file that may be imported, and largest of the small ones beside it, which are held in memory. */
export const FILE_BYTES_MAX = 256 * 1024 ** 3
export const LOOKUP_BYTES_MAX = 256 * 1024 ** 2

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

type Place = Pick<Context, 'config'>

const allImports = ({ config }: Place) => join(config.dataDir, 'imports')
const folderOf = (context: Place, id: string) => join(allImports(context), id)
export const fileOf = (context: Place, id: string) => join(folderOf(context, id), 'file')
/** `as` is a plain word: the mapping's schema and the route's say so. */
export const lookupOf = (context: Place, id: string, as: string) => join(folderOf(context, id), `lookup-${as}`)
export const rejectsExtension = (format: FormatType) => (format === 'csv' || format === 'tsv' ? 'csv' : 'ndjson')
export const rejectsOf = (context: Place, id: string, format: FormatType) =>
  join(folderOf(context, id), `rejects.${rejectsExtension(format)}`)

/** The imports whose files lie here. */
export async function listFolders(context: Place): Promise<string[]> {
  const names = await readdir(allImports(context)).catch(whenMissing<string[]>([]))
  return names.filter(name => ID.test(name))
}

export interface SavedStream {
  bytes: number
  /** Takes the place of what was there before. */
  putInPlace(): Promise<void>
}

/**
 * Writes a stream beside its place, where it is put by `use`, once all of it is on the disk.
 * @throws Problem `too_large`, `unavailable` when the disk is full
 */
export async function saveStream<Result>(
  context: Pick<Context, 'config' | 'uuid'>,
  stream: Readable,
  target: { id: string; path: string; bytesMax: number },
  use: (saved: SavedStream) => Promise<Result>,
): Promise<Result> {
  await mkdir(folderOf(context, target.id), { recursive: true, mode: 0o700 })
  const part = `${target.path}.${context.uuid()}.part`
  let bytes = 0
  async function* limited(source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      bytes += chunk.length
      if (bytes > target.bytesMax) throw tooLarge(target.bytesMax)
      yield chunk
    }
  }
  try {
    await pipeline(stream, limited, createWriteStream(part, { mode: 0o600, flush: true }))
    return await use({ bytes, putInPlace: () => rename(part, target.path) })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(error) : error
  } finally {
    await rm(part, { force: true })
  }
}

const tooLarge = (bytesMax: number) =>
  new Problem('too_large', `Such a file may have ${bytesMax} bytes.`, {
    hint: 'Send it in parts, each with its header, as imports of their own.',
  })
const diskFull = (cause: unknown) =>
  new Problem('unavailable', 'The disk of the server is full.', { hint: 'Make room, then send the file again.', cause })

export interface RejectsFile {
  /** One after the other. Resolves once the text is on the disk, to how many bytes the file then has. */
  append(text: string): Promise<number>
  close(): Promise<void>
}

/**
 * Opens the file of rejected rows behind its first `bytes`; what stands after them was written before a crash and comes
 * again. Undefined when the file has not so many: then the run must begin at its first row.
 */
export async function openRejects(path: string, bytes: number): Promise<RejectsFile | undefined> {
  const handle = await open(path, bytes === 0 ? 'w' : 'r+', 0o600).catch(whenMissing(undefined))
  if (!handle) return undefined
  if ((await handle.stat()).size < bytes) {
    await handle.close()
    return undefined
  }
  await handle.truncate(bytes)
  let position = bytes
  let last: Promise<unknown> = Promise.resolve()
  const write = async (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      at += (await handle.write(chunk, at, chunk.length - at, position + at)).bytesWritten
    }
    if (chunk.length > 0) await handle.datasync()
    position += chunk.length
    return position
  }
  return {
    append(text) {
      const written = last.then(() => write(Buffer.from(text)))
      last = written.catch(() => {})
      return written
    },
    close: () => handle.close(),
  }
}

export async function hasFile(path: string): Promise<boolean> {
  return (await stat(path).catch(whenMissing(undefined))) !== undefined
}

/** The file and its lookups; the rejected rows stay. */
export async function removeFile(context: Place, id: string): Promise<void> {
  const names = await readdir(folderOf(context, id)).catch(whenMissing<string[]>([]))
  for (const name of names)
    if (!name.startsWith('rejects.')) await rm(join(folderOf(context, id), name), { force: true })
}

/** The file, its lookups and its rejected rows. */
export const removeAll = (context: Place, id: string) => rm(folderOf(context, id), { recursive: true, force: true })

const whenMissing =
  <Value>(value: Value) =>
  (error: NodeJS.ErrnoException): Value => {
    if (error.code !== 'ENOENT') throw error
    return value
  }
