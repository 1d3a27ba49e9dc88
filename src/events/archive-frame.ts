/** A row of the log as lines of an archive file, and back. Pure. */
import { z } from 'zod'
import { decodeGroup, encodeGroup } from './log-group.ts'

/** A row of the log with its events still packed. */
export interface LogFrame {
  workspaceId: number
  lane: number
  pos: number
  events: number
  receivedAt: Date
  body: Buffer
}

const headSchema = z.object({
  workspaceId: z.number().int(),
  lane: z.number().int(),
  pos: z.number().int(),
  events: z.number().int(),
  receivedAt: z.coerce.date(),
})

/** Its text: a line that says where the row stood, then one line an event. */
export async function encodeFrame(row: LogFrame): Promise<string> {
  const { body, ...head } = row
  return `${[JSON.stringify(head), ...(await decodeGroup(body))].join('\n')}\n`
}

/** A row of the log with its events as lines. */
export interface ArchivedGroup extends Omit<LogFrame, 'body'> {
  lines: string[]
}

/** Reads rows from the lines of a file. Throws on a damaged one. */
export async function* decodeFrames(lines: AsyncIterable<string>): AsyncGenerator<ArchivedGroup> {
  let head: z.infer<typeof headSchema> | undefined
  let events: string[] = []
  for await (const line of lines) {
    if (!head) head = headSchema.parse(JSON.parse(line))
    else events.push(line)
    if (events.length < head.events) continue
    yield { ...head, lines: events }
    head = undefined
    events = []
  }
  if (head) throw new Error('archive ends in the middle of a row')
}

/** As it is stored in the log. */
export const packGroup = async ({ lines, ...head }: ArchivedGroup): Promise<LogFrame> => ({
  ...head,
  body: await encodeGroup(lines),
})

/** Splits at line feeds only: `readline` would also split at U+2028, which JSON may hold as it is. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') throw new Error('archive ends in the middle of a line')
}
