/** A file and a mapping in; what the rows would become, or which mapping would fit, out. Nothing is written. */
import type { Context } from '../context.ts'
import { GUESS_ROWS_MAX, guessMapping } from './guess.ts'
import type { ImportRow } from './import.ts'
import { columnsMissing, prepareChecked, readHead } from './load.ts'
import type { Mapping } from './mapping.ts'
import { preview } from './preview.ts'

type Place = Pick<Context, 'config'>

/** @throws Problem `unprocessable` */
export async function guessImport(context: Place, row: ImportRow, format: Mapping['format']) {
  const head = await readHead(context, row, format ? ({ format } as Mapping) : undefined, GUESS_ROWS_MAX)
  const guess = guessMapping(head.format.columns, head.rows, row.fileName ?? row.name)
  const mapping = format ? { ...guess.mapping, format } : guess.mapping
  return { ...guess, mapping, format: head.format, rows: head.rows.length }
}

/** @throws Problem `unprocessable`, with every reason why there is nothing to see */
export async function previewImport(
  context: Place,
  row: ImportRow,
  mapping: Mapping,
  wish: { rows: number; shown: number },
) {
  const prepared = await prepareChecked(context, row, mapping)
  const head = await readHead(context, row, mapping, wish.rows)
  return {
    ...preview(prepared, head.format.columns, head.rows, wish.shown),
    format: head.format,
    missingColumns: columnsMissing(prepared, head.format),
  }
}
