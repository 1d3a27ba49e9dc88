/** The body of one row of the log: events of one workspace as zstd of one JSON line each. Pure. */
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { LogEntry } from '../spec/event.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

export const encodeLine = (event: LogEntry): string => JSON.stringify(event)

/** Runs on zlib's own threads, so that a large group does not hold up requests. */
export const encodeGroup = (lines: string[]): Promise<Buffer> => compress(Buffer.from(lines.join('\n')))

export async function decodeGroup(body: Buffer): Promise<string[]> {
  const text = (await decompress(body)).toString('utf8')
  return text.split('\n')
}
