/** The container of a backup: parts with a name and bytes come in, one stream goes out, and back. Pure but for the streams. */
import { z } from 'zod'

/** What stands before each part's bytes; `end` is last, so that a backup cut short is noticed. */
const partSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('begin'),
    format: z.literal(1),
    schemaVersion: z.number().int(),
    at: z.string(),
    logDays: z.array(z.string()),
  }),
  z.object({ kind: z.literal('table'), table: z.string(), columns: z.array(z.string()) }),
  z.object({ kind: z.literal('file'), path: z.string() }),
  z.object({ kind: z.literal('end'), parts: z.number().int() }),
])
export type Part = z.infer<typeof partSchema>

export interface OpenPart {
  part: Part
  /** Must be read to its end before the next part is asked for. */
  bytes: AsyncIterable<Buffer>
}

const LENGTH_BYTES = 4
const FRAME_BYTES_MAX = 64 * 1024 * 1024

/** Each part is a frame of JSON, frames of bytes, and an empty frame; a frame is its length (4 bytes, big-endian) and itself. */
export async function* encodeParts(
  parts: AsyncIterable<{ part: Part; bytes?: AsyncIterable<Buffer> }>,
): AsyncGenerator<Buffer> {
  for await (const { part, bytes } of parts) {
    yield frame(Buffer.from(JSON.stringify(part)))
    if (bytes) for await (const chunk of bytes) if (chunk.length > 0) yield frame(chunk)
    yield frame(Buffer.alloc(0))
  }
}

function frame(bytes: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Throws when the stream is not a backup or ends before its end mark. */
export async function* decodeParts(stream: AsyncIterable<Buffer>): AsyncGenerator<OpenPart> {
  const reader = new FrameReader(stream)
  for (;;) {
    const head = await reader.next()
    if (!head) throw new Error('the backup ends too early: it was cut short')
    const part = partSchema.parse(JSON.parse(head.toString('utf8')))
    yield { part, bytes: reader.untilEmpty() }
    if (part.kind === 'end') return
  }
}

class FrameReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  /** The next frame's bytes; undefined at the end of the stream. */
  async next(): Promise<Buffer | undefined> {
    const length = await this.#take(LENGTH_BYTES)
    if (!length) return undefined
    const bytes = length.readUInt32BE()
    if (bytes > FRAME_BYTES_MAX) throw new Error('this is not a backup of Throughline')
    return bytes === 0 ? Buffer.alloc(0) : this.#take(bytes)
  }

  async *untilEmpty(): AsyncGenerator<Buffer> {
    for (;;) {
      const bytes = await this.next()
      if (!bytes) throw new Error('the backup ends too early: it was cut short')
      if (bytes.length === 0) return
      yield bytes
    }
  }

  async #take(bytes: number): Promise<Buffer | undefined> {
    const parts = [this.#rest]
    let held = this.#rest.length
    while (held < bytes) {
      const { value, done } = await this.#chunks.next()
      if (done) return undefined
      parts.push(value)
      held += value.length
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts)
    this.#rest = all.subarray(bytes)
    return all.subarray(0, bytes)
  }
}
