import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const here = import.meta.dirname
/** Heap of the child. The stream is longer than two of it: whatever is kept per row would not fit. */
const HEAP_MB = 40
const STREAM_MB = 100

/** Reads a stream that is made as it is read, maps each row, counts, and prints what it counted. */
const script = (format: string) => `
  import { gzipSync } from 'node:zlib'
  import { mapRow } from '${here}/map-row.ts'
  import { parseMapping } from '${here}/mapping.ts'
  import { prepareMapping } from '${here}/prepare.ts'
  import { openRows } from '${here}/read.ts'
  const line = index => ({
    csv: 'NW-' + index + ',"a ""quoted"" name, with a comma",2025-04-03 18:20:00,p' + index + '@example.com,12.50\\n',
    ndjson: JSON.stringify({ order_id: 'NW-' + index, name: 'a name', at: '2025-04-03 18:20:00', email: 'p' + index + '@example.com', price: 12.5 }) + '\\n',
    json: (index === 0 ? '' : ',\\n') + JSON.stringify({ order_id: 'NW-' + index, name: 'a name', at: '2025-04-03 18:20:00', email: 'p' + index + '@example.com', price: 12.5 }),
  })['${format}']
  async function* stream() {
    yield Buffer.from({ csv: 'order_id,name,at,email,price\\n', ndjson: '', json: '{"total":1,"rows":[' }['${format}'])
    let bytes = 0
    for (let index = 0; bytes < ${STREAM_MB} * 1024 * 1024; ) {
      let chunk = ''
      for (let lines = 0; lines < 1000; lines += 1) chunk += line(index++)
      bytes += chunk.length
      yield Buffer.from(chunk)
    }
    if ('${format}' === 'json') yield Buffer.from(']}')
  }
  const parsed = parseMapping({
    name: 'memory', kind: 'events', event: 'Product Purchased', timestamp: { column: 'at' },
    properties: { order_id: '{order_id}', name: '{name}', email: '{email}', price: { column: 'price', type: 'money' } },
  })
  const prepared = prepareMapping(parsed.mapping)
  const opened = await openRows(stream())
  let events = 0
  for await (const row of opened.rows) events += mapRow(prepared, row).events.length
  console.log(JSON.stringify({ events, isMuch: events > 700_000 }))
`

test.each(['csv', 'ndjson', 'json'])(
  'a %s file is read and mapped in a heap that could not hold half of it',
  async format => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`--max-old-space-size=${HEAP_MB}`, '--input-type=module', '--eval', script(format)],
      { timeout: 100_000 },
    )
    expect(JSON.parse(stdout)).toMatchObject({ isMuch: true })
  },
  120_000,
)
