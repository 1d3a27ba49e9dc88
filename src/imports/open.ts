/** A path or a stream in, its bytes out from any place, unzipped. The part of the shell that touches files. */
import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { AsyncBuffer } from 'hyparquet'
import { FileFault } from './row.ts'

/** Bytes looked at to tell encoding, format, delimiter and columns. */
const HEAD_BYTES = 256 * 1024
const CHUNK_BYTES = 256 * 1024
/** Parquet needs to be read from its end: a stream of it is first written to a file, up to this size. */
const SPOOL_BYTES_MAX = 8 * 1024 * 1024 * 1024

export interface Source {
  isGzip: boolean
  /** The first bytes, unzipped. */
  head: Buffer
  isWhole: boolean
  /** The unzipped bytes from a place on. A stream can be read once only. */
  from(byte: number): AsyncIterable<Buffer>
  /** Set where the bytes lie in a file as they are. */
  path: string | undefined
  progress(): { bytesRead: number; bytesTotal: number | undefined }
}

/** Opens a file or a stream and looks at its first bytes. */
export async function openSource(input: string | AsyncIterable<Buffer>): Promise<Source> {
  const counter = { bytesRead: 0 }
  const path = typeof input === 'string' ? input : undefined
  const bytesTotal = path === undefined ? undefined : (await stat(path)).size
  const raw = typeof input === 'string' ? undefined : await peek(input, HEAD_BYTES)
  const openRaw = (start: number): AsyncIterable<Buffer> => {
    counter.bytesRead = start
    const bytes = path === undefined ? (raw?.all ?? []) : createReadStream(path, { start, highWaterMark: CHUNK_BYTES })
    return count(bytes as AsyncIterable<Buffer>, counter)
  }
  const rawHead = raw ?? (await peek(openRaw(0), HEAD_BYTES))
  const isGzip = rawHead.head[0] === 0x1f && rawHead.head[1] === 0x8b
  const progress = () => ({ bytesRead: Math.min(counter.bytesRead, bytesTotal ?? counter.bytesRead), bytesTotal })
  if (path !== undefined) await closeStream(rawHead.all)
  if (!isGzip) {
    const from = (byte: number) => (path === undefined ? skipBytes(openRaw(0), byte) : openRaw(byte))
    return { isGzip, head: rawHead.head, isWhole: rawHead.isWhole, from, path, progress }
  }
  const unzipped = await peek(gunzip(openRaw(0)), HEAD_BYTES)
  let isFresh = true
  const from = (byte: number) => {
    const bytes = isFresh || path === undefined ? unzipped.all : gunzip(openRaw(0))
    isFresh = false
    return skipBytes(bytes, byte)
  }
  return { isGzip, head: unzipped.head, isWhole: unzipped.isWhole, from, path: undefined, progress }
}

/** Reads the first bytes of a stream and gives back a stream that still holds all of them. */
async function peek(bytes: AsyncIterable<Buffer>, wanted: number) {
  const iterator = bytes[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  let length = 0
  let isWhole = false
  while (length < wanted && !isWhole) {
    const next = await iterator.next()
    if (next.done) isWhole = true
    else {
      chunks.push(next.value)
      length += next.value.length
    }
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      yield* chunks
      chunks.length = 0
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return { head: Buffer.concat(chunks).subarray(0, wanted), isWhole: isWhole && length <= wanted, all: all() }
}

async function closeStream(bytes: AsyncGenerator<Buffer>): Promise<void> {
  await bytes.next()
  await bytes.return(undefined)
}

async function* count(bytes: AsyncIterable<Buffer>, counter: { bytesRead: number }): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    counter.bytesRead += chunk.length
    yield chunk
  }
}

async function* gunzip(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES })
  const feed = pipeline(Readable.from(bytes), unzip).catch(() => {})
  try {
    for await (const chunk of unzip) yield chunk as Buffer
  } catch (cause) {
    throw new FileFault(
      'damaged_gzip',
      'The gzip file is damaged or cut short; the rows before the damage were read.',
      { cause },
    )
  } finally {
    unzip.destroy()
    await feed
  }
}

async function* skipBytes(bytes: AsyncIterable<Buffer>, byte: number): AsyncGenerator<Buffer> {
  let left = byte
  for await (const chunk of bytes) {
    if (left >= chunk.length) left -= chunk.length
    else {
      yield left > 0 ? chunk.subarray(left) : chunk
      left = 0
    }
  }
}

/** Writes the bytes to a file of its own, to be removed by the caller. */
export async function spool(source: Source, directory: string): Promise<string> {
  const path = join(directory, `throughline-spool-${randomUUID()}.parquet`)
  const bounded = async function* (): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of source.from(0)) {
      bytes += chunk.length
      if (bytes > SPOOL_BYTES_MAX) {
        throw new FileFault('spool_full', `A stream of Parquet may have ${SPOOL_BYTES_MAX} bytes; give a file instead.`)
      }
      yield chunk
    }
  }
  try {
    await pipeline(Readable.from(bounded()), createWriteStream(path))
    return path
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/** A file as ranges of bytes. Opened for each range, so that nothing stays open when a reader is given up. */
export async function byteRanges(path: string): Promise<AsyncBuffer> {
  const { size } = await stat(path)
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start))
      const file = await open(path)
      try {
        let at = 0
        while (at < bytes.length) {
          const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at)
          if (bytesRead === 0) break
          at += bytesRead
        }
      } finally {
        await file.close()
      }
      return bytes.buffer
    },
  }
}
