import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { query } from 'chdb'
import iconv from 'iconv-lite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseMapping } from './mapping.ts'
import { checkpointSchema, type OpenedRows, openRows, type ReadOptions, readLookups } from './read.ts'
import { FileFault, type Row } from './row.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'throughline-read-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function take(opened: OpenedRows, count = Number.POSITIVE_INFINITY): Promise<Row[]> {
  const rows: Row[] = []
  if (count === 0) return rows
  for await (const row of opened.rows) {
    rows.push(row)
    if (rows.length >= count) break
  }
  return rows
}
const readAll = async (input: string | AsyncIterable<Buffer>, options?: ReadOptions) =>
  take(await openRows(input, options))
const valuesOf = (rows: Row[]) => rows.map(row => (row.reject ? row.reject.reason : row.values))

async function* stream(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const people = [
  { id: '1', name: 'Ada Lindqvist', city: 'Malmö' },
  { id: '2', name: 'Grace "G" Okafor', city: 'São Paulo' },
  { id: '3', name: 'Zoë,\nof two lines', city: '' },
]
const csv = 'id,name,city\n1,Ada Lindqvist,Malmö\n2,"Grace ""G"" Okafor",São Paulo\n3,"Zoë,\nof two lines",\n'

describe('a file', () => {
  test.each(['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'windows-1252'])(
    'in %s gives its rows, with and without a BOM',
    async encoding => {
      for (const bom of encoding === 'windows-1252' || encoding === 'utf-32le'
        ? [encoding === 'utf-32le']
        : [true, false]) {
        const bytes = iconv.encode((bom ? '\uFEFF' : '') + csv, encoding, { addBOM: false })
        const opened = await openRows(write('people.csv', bytes))
        expect(valuesOf(await take(opened))).toEqual(people)
        expect(opened.encoding()).toBe(encoding)
        expect(valuesOf(await readAll(write('people.csv.gz', gzipSync(bytes))))).toEqual(people)
        expect(valuesOf(await readAll(stream(bytes, 3)))).toEqual(people)
        expect(valuesOf(await readAll(stream(gzipSync(bytes), 7)))).toEqual(people)
      }
    },
  )

  test('in any encoding is read where the mapping names it', async () => {
    const bytes = iconv.encode('id,name\n1,山田\n', 'shift_jis')
    expect(valuesOf(await readAll(write('sjis.csv', bytes), { format: { encoding: 'shift_jis' } }))).toEqual([
      { id: '1', name: '山田' },
    ])
    await expect(openRows(write('x.csv', csv), { format: { encoding: 'klingon' } })).rejects.toThrow(/klingon/)
  })

  test('of JSON, NDJSON and objects one after another gives the same rows', async () => {
    const texts = [
      JSON.stringify(people),
      JSON.stringify({ total: 3, people }, null, 2),
      people.map(person => JSON.stringify(person)).join('\n'),
      people.map(person => JSON.stringify(person, null, 2)).join('\n'),
    ]
    const formats: string[] = []
    for (const text of texts) {
      const opened = await openRows(write('people.json', text))
      expect(valuesOf(await take(opened))).toEqual(people)
      expect(opened.columns).toEqual(['id', 'name', 'city'])
      formats.push(opened.format)
    }
    expect(formats).toEqual(['json', 'json', 'ndjson', 'json'])
  })

  test('counts its rows from 1 and gives the text of each', async () => {
    const rows = await readAll(write('people.csv', csv))
    expect(rows.map(row => row.number)).toEqual([1, 2, 3])
    expect(rows[2]?.raw).toBe('3,"Zoë,\nof two lines",')
  })

  test('that turns out not to be UTF-8 behind the sample is read as windows-1252', async () => {
    const ascii = `id,name\n${'1,plain\n'.repeat(60_000)}`
    const bytes = Buffer.concat([Buffer.from(ascii), iconv.encode('2,Åsa\n3,Zoë\n', 'windows-1252')])
    const opened = await openRows(write('late.csv', bytes))
    expect(opened.encoding()).toBe('ascii')
    expect(valuesOf(await take(opened)).slice(-2)).toEqual([
      { id: '2', name: 'Åsa' },
      { id: '3', name: 'Zoë' },
    ])
    expect(opened.encoding()).toBe('windows-1252')
  })

  test('that is UTF-8 but for one row loses only that row', async () => {
    const bytes = Buffer.concat([Buffer.from('id,name\n1,Zoë\n2,'), Buffer.from([0xc5]), Buffer.from('sa\n3,Åsa\n')])
    const rows = await readAll(write('mixed.csv', bytes))
    expect(valuesOf(rows)).toEqual([{ id: '1', name: 'Zoë' }, 'invalid_encoding', { id: '3', name: 'Åsa' }])
    expect(rows[1]).toMatchObject({ number: 2, raw: '2,\uFFFDsa', cells: ['2', '\uFFFDsa'] })
  })

  test('with a byte of a cut gzip gives the rows before the damage, then says so', async () => {
    const bytes = gzipSync(
      Buffer.from(`id,name\n${Array.from({ length: 200_000 }, (_, i) => `${i},n${(i * 7919) % 10_007}`).join('\n')}\n`),
    )
    const opened = await openRows(write('cut.csv.gz', bytes.subarray(0, bytes.length - 1000)))
    let rows = 0
    const reading = (async () => {
      for await (const _ of opened.rows) rows += 1
    })()
    await expect(reading).rejects.toMatchObject({ reason: 'damaged_gzip' })
    expect(rows).toBeGreaterThan(100_000)
  })

  test('that is empty, or not there, says so', async () => {
    await expect(openRows(write('empty.csv', ''))).rejects.toMatchObject({ reason: 'empty_file' })
    await expect(openRows(write('empty.csv.gz', gzipSync('')))).rejects.toMatchObject({ reason: 'empty_file' })
    await expect(openRows(join(folder, 'nowhere.csv'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('with a header only has columns and no rows', async () => {
    const opened = await openRows(write('head.csv', 'id,name'))
    expect([opened.columns, await take(opened)]).toEqual([['id', 'name'], []])
  })

  test('tells how far it was read', async () => {
    const opened = await openRows(write('people.csv', csv))
    const bytes = Buffer.byteLength(csv)
    expect(opened.progress().bytesTotal).toBe(bytes)
    await take(opened)
    expect(opened.progress()).toEqual({ bytesRead: bytes, bytesTotal: bytes })
  })
})

describe('an import that was interrupted', () => {
  const names = ['Ada', 'Zoë', 'Åke', '山田', '"quoted, twice"', 'two\nlines', '😀']
  const many = Array.from({ length: 20_000 }, (_, index) => ({
    id: String(index),
    name: names[index % names.length] ?? '',
    note: 'x'.repeat(index % 40),
  }))
  const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const manyCsv = `id,name,note\n${many.map(({ id, name, note }) => `${id},${quoted(name)},${note}\n${id === '777' ? 'broken "row\n7"78,"x\n' : ''}`).join('')}`
  const western = manyCsv.replaceAll('山田', 'Sven').replaceAll('😀', '€')
  const kinds: [string, () => Buffer][] = [
    ['csv', () => Buffer.from(manyCsv)],
    ['csv with a BOM', () => Buffer.from(`\uFEFF${manyCsv}`)],
    ['csv in utf-16le', () => iconv.encode(manyCsv, 'utf-16le', { addBOM: true })],
    ['csv in windows-1252', () => iconv.encode(western, 'windows-1252')],
    ['gzip', () => gzipSync(Buffer.from(manyCsv))],
    ['ndjson', () => Buffer.from(many.map(row => JSON.stringify(row)).join('\n'))],
    ['json', () => Buffer.from(JSON.stringify({ n: 1, rows: many }))],
  ]

  test.each(kinds)('goes on where it was, as if it had not been: %s', async (kind, make) => {
    const path = write('many.bin', make())
    const all = await readAll(path)
    expect(all.length).toBeGreaterThanOrEqual(many.length)
    for (const count of [0, 1, 780, 12_345, 19_999, all.length]) {
      const first = await openRows(path)
      expect(await take(first, count)).toEqual(all.slice(0, count))
      const token = checkpointSchema.parse(JSON.parse(JSON.stringify(first.checkpoint(count))))
      await first.close()
      if (count > 15_000) expect(token.mark?.byte).toBeGreaterThan(250_000)
      expect(await readAll(path, { from: token }), `${kind} from ${count}`).toEqual(all.slice(count))
    }
  })

  test('gets a place that lies before its last finished row although it has read ahead', async () => {
    const path = write('many.csv', manyCsv)
    const opened = await openRows(path)
    const all = await take(opened)
    expect(await readAll(path, { from: opened.checkpoint(5) })).toEqual(all.slice(5))
  })

  test('goes on in a file that has grown, and not in another file', async () => {
    const path = write('growing.csv', csv)
    const opened = await openRows(path)
    const rows = await take(opened)
    const token = opened.checkpoint(rows.length)
    writeFileSync(path, `${csv}4,Noah,Kiruna\n`)
    expect(valuesOf(await readAll(path, { from: token }))).toEqual([{ id: '4', name: 'Noah', city: 'Kiruna' }])
    writeFileSync(path, csv.replace('Ada', 'Eve'))
    await expect(openRows(path, { from: token })).rejects.toMatchObject({ reason: 'changed_file' })
  })
})

describe('a Parquet file', () => {
  const rows = 25_000
  function writeParquet(name: string, settings: string): string {
    const path = join(folder, name)
    query(
      `select toInt64(number) as id, 'name ' || toString(number) as name, toDecimal64(number, 2) / 100 as price,
         toDate('2024-02-28') + (number % 3) as day, toDateTime64('2024-05-01 10:00:00.123', 3, 'UTC') as at,
         number % 2 = 0 as even, [number, 1] as list, if(number % 3 = 0, null, toInt32(number)) as maybe,
         9007199254740993 + number as long, cast((number, 'x'), 'Tuple(a Int32, b String)') as nested
       from numbers(${rows}) order by number into outfile '${path}' truncate format Parquet settings ${settings}`,
      'CSV',
    )
    return path
  }

  test.each([
    ['zstd', "output_format_parquet_compression_method = 'zstd', output_format_parquet_row_group_size = 10000"],
    [
      'snappy, one group, no index',
      "output_format_parquet_compression_method = 'snappy', output_format_parquet_write_page_index = 0",
    ],
    ['gzip', "output_format_parquet_compression_method = 'gzip', output_format_parquet_row_group_size = 7000"],
    [
      'brotli, unpacked twice',
      "output_format_parquet_compression_method = 'brotli', output_format_parquet_data_page_size = 1000",
    ],
    ['lz4', "output_format_parquet_compression_method = 'lz4'"],
    ['none', "output_format_parquet_compression_method = 'none'"],
  ])('gives its rows, typed: %s', async (name, settings) => {
    const opened = await openRows(writeParquet('rows.parquet', settings))
    const all = await take(opened)
    expect(opened.format).toBe('parquet')
    expect(opened.columns).toEqual([
      'id',
      'name',
      'price',
      'day',
      'at',
      'even',
      'list',
      'maybe',
      'long',
      'nested.a',
      'nested.b',
    ])
    expect(all, name).toHaveLength(rows)
    expect(all.map(row => (row.reject ? '' : row.values.id))).toEqual(Array.from({ length: rows }, (_, index) => index))
    expect(all[35]).toMatchObject({
      number: 36,
      values: {
        id: 35,
        name: 'name 35',
        price: 0.35,
        day: '2024-03-01',
        at: '2024-05-01T10:00:00.123Z',
        list: [35, 1],
        maybe: 35,
        nested: { a: 35, b: 'x' },
      },
    })
    expect(all[36]).toMatchObject({ values: { maybe: null, long: '9007199254741029' } })
    const token = opened.checkpoint(12_345)
    expect(await readAll(join(folder, 'rows.parquet'), { from: token })).toEqual(all.slice(12_345))
  })

  test('comes as a stream, or gzipped, through a file of its own that is removed again', async () => {
    const { readFileSync } = await import('node:fs')
    const bytes = readFileSync(writeParquet('stream.parquet', "output_format_parquet_compression_method = 'zstd'"))
    const spool = mkdtempSync(join(folder, 'spool-'))
    for (const input of [stream(bytes, 10_000), write('rows.parquet.gz', gzipSync(bytes))]) {
      const opened = await openRows(input, { spoolDirectory: spool })
      expect(readdirSync(spool)).toHaveLength(1)
      expect(await take(opened)).toHaveLength(rows)
      expect(readdirSync(spool)).toEqual([])
    }
  })

  test('that is damaged says so', async () => {
    await expect(openRows(write('bad.parquet', Buffer.from('PAR1 nothing of the kind PAR1')))).rejects.toMatchObject({
      reason: 'damaged_parquet',
    })
  })
})

describe('a lookup', () => {
  const mapping = (key: string) => {
    const parsed = parseMapping({
      name: 'x',
      kind: 'people',
      lookups: [{ as: 'city', file: 'cities.csv', key, column: 'city' }],
    })
    if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
    return parsed.mapping
  }

  test('is a small file by the text of its key, the first row of each', async () => {
    const path = write('cities.csv', 'code,name\n1,Lund\n1,Other\n2,Malmö\n')
    const tables = await readLookups(mapping('code'), () => path)
    expect([...(tables.get('city') ?? [])]).toEqual([
      ['1', { code: '1', name: 'Lund' }],
      ['2', { code: '2', name: 'Malmö' }],
    ])
  })

  test('without its key column, or with a row that cannot be read, is refused', async () => {
    const path = write('cities.csv', 'code,name\n1,Lund\n2\n')
    await expect(readLookups(mapping('key'), () => path)).rejects.toMatchObject({ reason: 'unusable_lookup' })
    await expect(readLookups(mapping('code'), () => path)).rejects.toThrow(FileFault)
  })
})
