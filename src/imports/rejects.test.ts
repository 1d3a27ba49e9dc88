import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FormatOverrides } from './layout.ts'
import { openRows } from './read.ts'
import { createRejectsWriter, neutralise } from './rejects.ts'
import type { Row } from './row.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'throughline-rejects-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function readText(text: string | Buffer, format: FormatOverrides = {}) {
  const path = join(folder, 'file')
  writeFileSync(path, text)
  const opened = await openRows(path, { format })
  const rows: Row[] = []
  for await (const row of opened.rows) rows.push(row)
  return { opened, rows }
}
/** What a row says, apart from where it stood. */
const essence = (row: Row) => (row.reject ? [row.reject.reason, row.cells] : row.values)

/** Rejects every row of a text, and reads the file that this makes under the same mapping. */
async function goRound(text: string, format?: FormatOverrides) {
  const first = await readText(text, format)
  const writer = createRejectsWriter(first.opened.format, first.opened.columns, first.opened.delimiter)
  const file =
    writer.head +
    first.rows.map(row => writer.line(row, { reason: 'no_identifier', detail: 'the row says nobody' })).join('')
  return { first, file, second: await readText(file, format) }
}

describe('a file of rejected rows', () => {
  test('holds each row as it was, behind its number and the reason', async () => {
    const { file } = await goRound('id;note\n1;=2+2\n2;"a;b"\n')
    expect(file).toBe(
      '\uFEFFthroughline_row;throughline_reason;throughline_detail;id;note\r\n' +
        '1;no_identifier;the row says nobody;1;=2+2\r\n' +
        '2;no_identifier;the row says nobody;2;"a;b"\r\n',
    )
  })

  test('reads as the file that it came from, whatever the mapping says of that file', async () => {
    const format: FormatOverrides = { type: 'csv', encoding: 'windows-1252', delimiter: ';', header: true }
    const { first, second } = await goRound('id;name\n1;Ase\n2;Zoe\n', format)
    expect(second.rows.map(essence)).toEqual(first.rows.map(essence))
    expect(second.opened.columns).toEqual(['id', 'name'])
    expect(second.opened.encoding()).toBe('utf-8')
  })

  test('changes no cell, also those that a spreadsheet would run or trim', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('=', '+', '-', '@', '\t', ' ', '"', ',', '\n', 'a', 'é', "'"),
      minLength: 1,
      maxLength: 6,
    })
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }), async lines => {
        const text = `a,b\n${lines.map(line => line.map(quote).join(',')).join('\n')}\n`
        const { first, second } = await goRound(text)
        expect(second.rows.map(essence)).toEqual(first.rows.map(essence))
      }),
      { numRuns: 50 },
    )
  })

  test('keeps a row that could not be read rejected until it is mended', async () => {
    const { first, second } = await goRound('a,b\n1\n1,2,3\n1,"x"y\n3,4\n')
    expect(first.rows.map(row => row.reject?.reason)).toEqual([
      'ragged_row',
      'ragged_row',
      'malformed_quote',
      undefined,
    ])
    expect(second.rows.map(row => row.reject?.reason)).toEqual(['ragged_row', 'ragged_row', 'ragged_row', undefined])
    const again = createRejectsWriter('csv', ['a', 'b'])
    expect(again.line(second.rows[1] as Row, { reason: 'ragged_row', detail: 'x' })).toBe('2,ragged_row,x,1,2,3\r\n')
  })

  test('of JSON is NDJSON, which keeps what is nested', async () => {
    const text = '{"id":1,"tags":["a"],"address":{"city":"Lund"}}\n{"id":2,"late":true}\n{broken\n'
    const { first, second, file } = await goRound(text, { type: 'ndjson' })
    expect(file.split('\n')[0]).toBe(
      '{"throughline_row":1,"throughline_reason":"no_identifier","throughline_detail":"the row says nobody","id":1,"tags":["a"],"address":{"city":"Lund"}}',
    )
    expect(second.rows.map(essence)).toEqual(first.rows.map(essence))
    expect(second.opened.columns).toEqual(['id', 'tags', 'address.city', 'late'])
    const fromJson = await goRound('{"rows":[{"id":1},{"id":2}]}', { type: 'json', list: 'rows' })
    expect(fromJson.second.rows.map(essence)).toEqual([{ id: 1 }, { id: 2 }])
  })

  test('runs nothing of ours in a spreadsheet', () => {
    expect(['=1+1', '+1', '-1', '@x', '\tx', 'plain'].map(neutralise)).toEqual([
      "'=1+1",
      "'+1",
      "'-1",
      "'@x",
      "'\tx",
      'plain',
    ])
  })
})
