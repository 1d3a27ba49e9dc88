/**
 * Bytes in, text out: BOMs, the guess of an encoding, and a decoder that knows at which byte its text ends and marks
 * what was not text.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import iconv from 'iconv-lite'

/**
 * Stands for bytes that are no UTF-8. A noncharacter, so that it cannot be mistaken for a U+FFFD which some earlier
 * program already wrote into the file.
 */
export const DAMAGED = '\uFDD0'

/** ASCII so far: the first other byte decides between UTF-8 and windows-1252, for good. */
const UNDECIDED = 'ascii'

const FALLBACK = 'windows-1252'
const UTF8_SEQUENCE_BYTES_MAX = 4
/** UTF-16 of mostly Latin text has a zero in every second byte; 30 % is far above any stray NULs. */
const UTF16_ZERO_SHARE_MIN = 0.3

const boms: { bytes: number[]; encoding: string }[] = [
  { bytes: [0xff, 0xfe, 0, 0], encoding: 'utf-32le' },
  { bytes: [0, 0, 0xfe, 0xff], encoding: 'utf-32be' },
  { bytes: [0xef, 0xbb, 0xbf], encoding: 'utf-8' },
  { bytes: [0xff, 0xfe], encoding: 'utf-16le' },
  { bytes: [0xfe, 0xff], encoding: 'utf-16be' },
  { bytes: [0x84, 0x31, 0x95, 0x33], encoding: 'gb18030' },
]

/** A stretch of text. `endByte` counts the bytes of the (unzipped) file up to its end; NaN where that cannot be told. */
export interface TextBlock {
  text: string
  endByte: number
  damaged: boolean
  isLast: boolean
}

export interface TextDecoding {
  /** May change once, from `ascii` to what the first other byte shows. */
  encoding(): string
  blocks: AsyncIterable<TextBlock>
  /** Length in bytes of text that came from this decoder, or nothing where that cannot be told. */
  bytesOf(text: string): number | undefined
}

export const isEncoding = (name: string): boolean => name === UNDECIDED || iconv.encodingExists(name)

/**
 * Tells the encoding from the first bytes of a file. A BOM outranks `override`: it is a statement of the file itself.
 * @returns the encoding and how many bytes of BOM to pass over
 */
export function guessEncoding(head: Buffer, override?: string): { encoding: string; bomBytes: number } {
  for (const bom of boms) {
    if (bom.bytes.every((byte, index) => head[index] === byte)) {
      return { encoding: bom.encoding, bomBytes: bom.bytes.length }
    }
  }
  if (override) return { encoding: override.toLowerCase(), bomBytes: 0 }
  if (isAscii(head) && !head.includes(0)) return { encoding: UNDECIDED, bomBytes: 0 }
  return { encoding: guessUtf16(head) ?? guessByBytes(head), bomBytes: 0 }
}

function guessUtf16(head: Buffer): string | undefined {
  const zeros = [0, 0]
  for (let index = 0; index < head.length; index += 1) if (head[index] === 0) zeros[index % 2]! += 1
  const pairs = head.length / 2
  const [even = 0, odd = 0] = zeros
  if (odd / pairs > UTF16_ZERO_SHARE_MIN && odd > even * 2) return 'utf-16le'
  if (even / pairs > UTF16_ZERO_SHARE_MIN && even > odd * 2) return 'utf-16be'
  return undefined
}

/** Text in windows-1252 hardly ever makes UTF-8 sequences by chance; a UTF-8 file may well hold a few broken bytes. */
function guessByBytes(head: Buffer): string {
  const whole = head.subarray(0, head.length - incompleteTail(head))
  if (isUtf8(whole)) return 'utf-8'
  let sequences = 0
  let strays = 0
  for (let at = 0; at < whole.length; ) {
    const length = sequenceBytes(whole[at] ?? 0)
    const isWhole = length > 0 && (length === 1 || isUtf8(whole.subarray(at, at + length)))
    if (!isWhole) strays += 1
    else if (length > 1) sequences += 1
    at += isWhole ? length : 1
  }
  return sequences > strays ? 'utf-8' : FALLBACK
}

/** Decodes a stream that begins at byte `startByte` of the file, at a character's beginning. */
export function decodeText(bytes: AsyncIterable<Buffer>, encoding: string, startByte: number): TextDecoding {
  let current = encoding
  const unicode = encoding === UNDECIDED || isUtf8Name(encoding)
  const blocks = unicode
    ? decodeUtf8(bytes, encoding, startByte, decided => {
        current = decided
      })
    : decodeOther(bytes, encoding, startByte)
  return { encoding: () => current, blocks, bytesOf: text => bytesOf(text, current) }
}

const isUtf8Name = (encoding: string) => /^utf-?8$/i.test(encoding)

async function* decodeUtf8(
  bytes: AsyncIterable<Buffer>,
  encoding: string,
  startByte: number,
  decide: (encoding: string) => void,
): AsyncGenerator<TextBlock> {
  let undecided = encoding === UNDECIDED
  let pending: Buffer = Buffer.alloc(0)
  let endByte = startByte
  let other: ReturnType<typeof iconv.getDecoder> | undefined
  for await (const chunk of bytes) {
    const buffer = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
    pending = Buffer.alloc(0)
    let from = 0
    if (undecided && !isAscii(buffer)) {
      from = buffer.findIndex(byte => byte >= 0x80)
      if (from + UTF8_SEQUENCE_BYTES_MAX > buffer.length) {
        pending = buffer.subarray(from)
        endByte += from
        yield { text: buffer.toString('latin1', 0, from), endByte, damaged: false, isLast: false }
        continue
      }
      undecided = false
      if (!startsWithUtf8(buffer.subarray(from))) other = iconv.getDecoder(FALLBACK)
      decide(other ? FALLBACK : 'utf-8')
    }
    if (other) {
      endByte += buffer.length
      yield { text: other.write(buffer), endByte, damaged: false, isLast: false }
      continue
    }
    const whole = undecided ? buffer : buffer.subarray(0, buffer.length - incompleteTail(buffer))
    if (whole.length < buffer.length) pending = buffer.subarray(whole.length)
    endByte += whole.length
    yield { ...readUtf8(whole), endByte, isLast: false }
  }
  if (undecided && pending.length > 0) {
    const fallback = !startsWithUtf8(pending)
    decide(fallback ? FALLBACK : 'utf-8')
    if (fallback) {
      yield { text: iconv.decode(pending, FALLBACK), endByte: endByte + pending.length, damaged: false, isLast: true }
      return
    }
  }
  yield { ...readUtf8(pending), endByte: endByte + pending.length, isLast: true }
}

/** Whether the bytes begin with a whole UTF-8 sequence. */
function startsWithUtf8(bytes: Buffer): boolean {
  const length = sequenceBytes(bytes[0] ?? 0)
  return length > 1 && length <= bytes.length && isUtf8(bytes.subarray(0, length))
}

function sequenceBytes(lead: number): number {
  if (lead < 0x80) return 1
  if (lead >= 0xc2 && lead < 0xe0) return 2
  if (lead >= 0xe0 && lead < 0xf0) return 3
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0
}

/** How many bytes at the end are the beginning of a sequence that is not there yet. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back < UTF8_SEQUENCE_BYTES_MAX && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte >= 0x80 && byte < 0xc0) continue
    return sequenceBytes(byte) > back ? back : 0
  }
  return 0
}

function readUtf8(bytes: Buffer): { text: string; damaged: boolean } {
  if (isAscii(bytes)) return { text: bytes.toString('latin1'), damaged: false }
  if (isUtf8(bytes)) return { text: bytes.toString('utf8'), damaged: false }
  // Line by line, so that only the rows with bad bytes are marked.
  let text = ''
  for (let from = 0; from < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, from)
    const to = newline < 0 ? bytes.length : newline + 1
    const line = bytes.subarray(from, to)
    text += isUtf8(line) ? line.toString('utf8') : line.toString('utf8').replaceAll('\uFFFD', DAMAGED)
    from = to
  }
  return { text, damaged: true }
}

async function* decodeOther(
  bytes: AsyncIterable<Buffer>,
  encoding: string,
  startByte: number,
): AsyncGenerator<TextBlock> {
  const decoder = createDecoder(encoding)
  let endByte = startByte
  // The decoder may hold back half a character: count what came out, not what went in.
  const advance = (text: string) => {
    endByte += bytesOf(text, encoding) ?? Number.NaN
    return endByte
  }
  for await (const chunk of bytes) {
    const text = decoder.write(chunk)
    yield { text, endByte: advance(text), damaged: false, isLast: false }
  }
  const text = decoder.end()
  yield { text, endByte: advance(text), damaged: false, isLast: true }
}

interface Decoder {
  write(bytes: Buffer): string
  end(): string
}

/**
 * iconv-lite loses characters of the East Asian encodings that are cut between two chunks (0.7.3), so those go through
 * the platform's decoder; and that one has taken windows-1252 for latin1 in some versions of Node, so the rest does not.
 */
function createDecoder(encoding: string): Decoder {
  if (multiByte.test(encoding)) {
    const decoder = new TextDecoder(encoding, { ignoreBOM: true })
    return { write: bytes => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() }
  }
  const decoder = iconv.getDecoder(encoding, { stripBOM: false })
  return { write: bytes => decoder.write(bytes), end: () => decoder.end() ?? '' }
}

const multiByte = /^(gb18030|gbk|gb2312|big5|shift[_-]jis|sjis|euc-(jp|kr))$/i
const singleByte = /^(windows-?125\d|cp125\d|win125\d|iso-?8859-?\d+|latin\d|koi8-?[ru]|macintosh)$/i

function bytesOf(text: string, encoding: string): number | undefined {
  if (text.includes(DAMAGED)) return undefined
  if (encoding === UNDECIDED) return text.length
  if (isUtf8Name(encoding)) return Buffer.byteLength(text)
  if (singleByte.test(encoding)) return text.length
  const bytes = iconv.encode(text, encoding, { addBOM: false })
  return iconv.decode(bytes, encoding, { stripBOM: false }) === text ? bytes.length : undefined
}
