/** The first record of a file in, the names of its columns out, every one of them usable and different from the rest. */
import { COLUMNS_MAX, FileFault } from './row.ts'

/** Columns of our own rejects file: passed over when the mended file comes back. */
export const rejectsColumns = ['throughline_row', 'throughline_reason', 'throughline_detail'] as const
/** Field of a rejected JSON line whose text could not be read at all. */
export const RAW_FIELD = 'throughline_raw'

export interface Header {
  columns: string[]
  /** How many cells a row needs: columns without a name at the end may be missing. */
  neededColumns: number
}

/**
 * Names columns. Blanks around a name go; a column without a name is `column 3`, the second `Email` is `Email (2)`.
 * @throws FileFault `too_many_columns`
 */
export function nameColumns(cells: string[]): Header {
  if (cells.length > COLUMNS_MAX) {
    throw new FileFault('too_many_columns', `The file has ${cells.length} columns; ${COLUMNS_MAX} are the limit.`)
  }
  const taken = new Set(cells.map(usableName))
  const seen = new Set<string>()
  const columns = cells.map((cell, index) => {
    const name = usableName(cell) || `column ${index + 1}`
    const unique = seen.has(name) || (!usableName(cell) && taken.has(name)) ? firstFree(name, seen, taken) : name
    seen.add(unique)
    return unique
  })
  const lastNamed = cells.findLastIndex(cell => usableName(cell) !== '')
  return { columns, neededColumns: lastNamed + 1 }
}

/** Names for a file without a header. */
export function numberColumns(count: number): Header {
  return { ...nameColumns(new Array<string>(count).fill('')), neededColumns: count }
}

/** `__proto__` cannot be a key of a plain object and counts as no name. */
function usableName(cell: string): string {
  const name = cell.replaceAll('\0', '').trim()
  return name === '__proto__' ? '' : name
}

function firstFree(name: string, seen: Set<string>, taken: Set<string>): string {
  for (let count = 2; ; count += 1) {
    const candidate = `${name} (${count})`
    if (!seen.has(candidate) && !taken.has(candidate)) return candidate
  }
}

const looksLikeValue =
  /^[-+(]?[\p{Sc}]?\s?\d[\d.,:/\s-]*%?\)?$|^[^\s@]+@[^\s@]+\.[^\s@]+$|^\d{1,2}-[A-Za-z]{3}-\d{2,4}$|^\d{4}-\d{2}-\d{2}T/u

const VALUE_CHARS_MAX = 100
const isValue = (cell: string) => cell.length <= VALUE_CHARS_MAX && looksLikeValue.test(cell.trim())

/**
 * Whether the first record names the columns. It does not when one of its cells is a value, a number or date or e-mail
 * address, and the cells below it are values too (a header "2015", "2016" over numbers would be the exception: say
 * `header: true`).
 */
export function guessHeader(records: string[][]): boolean {
  const [first, ...others] = records
  if (!first || others.length === 0) return true
  return !first.some(
    (cell, column) =>
      isValue(cell) &&
      others.every(cells => cells[column] === undefined || cells[column] === '' || isValue(cells[column])),
  )
}
