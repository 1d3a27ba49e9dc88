/**
 * A body as it came in and what its header says of it; the plain bytes, or why there are none, go out. Pure, though not
 * synchronous: larger bodies are inflated on zlib's own threads.
 */
import { promisify } from 'node:util'
import zlib from 'node:zlib'

export type Inflated = { bytes: Buffer } | { fault: 'too_large' | 'damaged' }

/** Some proxies compress what a client has compressed already; nobody honest does it thrice. */
const LAYERS_MAX = 2
/** Below this a hop to another thread costs more than inflating here; what comes out is bounded either way. */
const INLINE_BYTES_MAX = 16 * 1024
/** zlib checks its limit after each chunk, so a bomb costs the limit and one of these. */
const CHUNK_BYTES = 16 * 1024
/** A zstd frame may claim a window of 128 MB; ours never needs more than the body itself. */
const ZSTD_WINDOW_LOG_MAX = 23

type Encoding = 'gzip' | 'deflate' | 'deflate-raw' | 'br' | 'zstd'

/** True where `inflate` has something to do, so that plain bodies need not wait for a promise. */
export const isDeflated = (body: Buffer, header: string | undefined): boolean =>
  encodingIn(body) !== undefined || unmarkedEncoding(header) !== undefined

/**
 * Undoes gzip, deflate, zstd and brotli, whatever the content type says. The bytes themselves outrank the header: proxies
 * inflate and forget to say so, and several browser clients compress and never say so. Only brotli and bare deflate have no
 * mark of their own: they are taken from the header, unless what came is JSON.
 */
export async function inflate(body: Buffer, header: string | undefined, bytesMax: number): Promise<Inflated> {
  const isMarked = encodingIn(body) !== undefined
  const told = unmarkedEncoding(header)
  // Brotli may begin like anything, so its header is tried first; a deflate that has its mark needs no header.
  if (told === 'br' || (told !== undefined && !isMarked)) {
    const inflated = await undo(told, body, bytesMax)
    if ('bytes' in inflated || inflated.fault === 'too_large') return inflated
    if (!isMarked) return looksLikeJson(body) ? withinLimit(body, bytesMax) : inflated
  }
  let bytes = body
  for (let layer = 0; layer < LAYERS_MAX; layer += 1) {
    const encoding = encodingIn(bytes)
    if (encoding === undefined) break
    const inflated = await undo(encoding, bytes, bytesMax)
    if ('fault' in inflated) return inflated
    bytes = inflated.bytes
  }
  return encodingIn(bytes) === undefined ? withinLimit(bytes, bytesMax) : { fault: 'damaged' }
}

const withinLimit = (bytes: Buffer, bytesMax: number): Inflated =>
  bytes.length > bytesMax ? { fault: 'too_large' } : { bytes }

const NAMES_BROTLI = /(^|[\s,])br($|[\s,])/i
const NAMES_DEFLATE = /(^|[\s,])deflate($|[\s,])/i

function unmarkedEncoding(header: string | undefined): Encoding | undefined {
  if (header === undefined) return undefined
  if (NAMES_BROTLI.test(header)) return 'br'
  return NAMES_DEFLATE.test(header) ? 'deflate-raw' : undefined
}

const JSON_START = /^[\s\uFEFF]*["{[]/
const looksLikeJson = (bytes: Buffer) => JSON_START.test(bytes.toString('utf8', 0, 16))

/** By the first bytes. None of these can begin JSON or a form. */
function encodingIn(bytes: Buffer): Encoding | undefined {
  const first = bytes[0]
  if (first === 0x1f && bytes[1] === 0x8b) return 'gzip'
  if (first === 0x28 && bytes.length >= 4 && bytes.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  if (first === 0x78 && bytes.length >= 2 && bytes.readUInt16BE(0) % 31 === 0) return 'deflate'
  return undefined
}

const threads = {
  gzip: promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  deflate: promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate),
  'deflate-raw': promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw),
  br: promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress),
  zstd: promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress),
}
const inline = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  'deflate-raw': zlib.inflateRawSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
}

async function undo(encoding: Encoding, bytes: Buffer, bytesMax: number): Promise<Inflated> {
  const options = {
    maxOutputLength: bytesMax,
    chunkSize: CHUNK_BYTES,
    ...(encoding === 'zstd' ? { params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } } : {}),
  }
  try {
    const isSmall = bytes.length <= INLINE_BYTES_MAX
    return { bytes: isSmall ? inline[encoding](bytes, options) : await threads[encoding](bytes, options) }
  } catch (error) {
    const isBomb = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
    return { fault: isBomb ? 'too_large' : 'damaged' }
  }
}
