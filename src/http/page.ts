/** Lists in pages: `{ data, nextCursor }`, where a cursor is opaque text that says where the next page begins. */
import { z } from 'zod'
import { Problem } from '../errors.ts'

const PAGE_ROWS_MAX = 200
const PAGE_ROWS = 50
const CURSOR_CHARACTERS_MAX = 1_000

/** Spread into the query of every list route. */
export const pageQuery = {
  limit: z.coerce.number<number | string>().int().min(1).max(PAGE_ROWS_MAX).default(PAGE_ROWS),
  cursor: z.string().max(CURSOR_CHARACTERS_MAX).optional(),
}

/** The response of every list route. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), nextCursor: z.string().nullable() })

export const encodeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url')

/** Reads a cursor back. Anything but what `encodeCursor` made of a fitting position is the problem `invalid_cursor`. */
export function decodeCursor<Position extends z.ZodType>(
  position: Position,
  cursor: string | undefined,
): z.output<Position> | undefined {
  if (cursor === undefined) return undefined
  const parsed = position.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')))
  if (!parsed.success) {
    throw new Problem('invalid_cursor', 'This cursor is not one that the same list gave.', {
      hint: 'Ask for the first page without a cursor, then pass on each nextCursor unchanged.',
    })
  }
  return parsed.data
}

/** Cuts `limit + 1` rows to a page; the row too many only tells that there is a next one. */
export function pageFrom<Row>(
  rows: Row[],
  limit: number,
  positionOf: (row: Row) => unknown,
): { data: Row[]; nextCursor: string | null } {
  const data = rows.slice(0, limit)
  const last = data.at(-1)
  return { data, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(positionOf(last)) : null }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
