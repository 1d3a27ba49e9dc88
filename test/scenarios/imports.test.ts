/** Files imported as whoever runs the server does it: through the command line and the API, over the real databases. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socketFetch } from '../../src/client/socket.ts'
import { countsIn, typeImport } from '../throughline.ts'
import { API_KEY, openWorld, type World } from '../world.ts'

interface Import {
  id: string
  state: string
  sourceId: string | null
  rows: number
  events: number
  stored: number
  deduplicated: number
  rejected: number
  rejectedByReason: Record<string, number>
  bytesRead: number
  bytesTotal: number | null
  file: { name: string; bytes: number; isRemoved: boolean } | null
  error: { code: string } | null
}
interface Profile {
  id: string
  traits: Record<string, unknown>
  identifiers: { namespace: string; value: string }[]
  eventCount: number
}
interface Problem {
  code: string
  detail: string
  hint?: string
  faults?: { path: string; message: string }[]
}

let world: World
let folder: string
beforeAll(async () => {
  world = await openWorld()
  folder = mkdtempSync(join(tmpdir(), 'tl-imports-'))
})
afterAll(async () => {
  await world?.close()
  rmSync(folder, { recursive: true, force: true })
})

const examples = join(import.meta.dirname, '../../examples')
const write = (name: string, content: string | Buffer) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const writeMapping = (mapping: { name: string }) => write(`${mapping.name}.json`, JSON.stringify(mapping))
const throughline = (...args: string[]) => typeImport(world, args)
const profile = (reference: string) => world.get<Profile>(`/api/v1/profiles/${encodeURIComponent(reference)}`)
const accounting = (source: string) => world.get<Record<string, number>>(`/api/v1/accounting?sourceId=${source}`)
const clickhouse = <Row>(sql: string) => world.running.context.clickhouse.query<Row>(sql)

const put = (path: string, body: string | Uint8Array, key = API_KEY) =>
  fetch(world.running.url + path, {
    method: 'PUT',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' },
    body: body as string,
  })
async function create(body: object): Promise<Import> {
  const made = await world.request('POST', '/api/v1/imports', body)
  if (made.status !== 201) throw new Error(JSON.stringify(made.body))
  return made.body as Import
}
const read = (id: string) => world.get<Import>(`/api/v1/imports/${id}`)
const until = (id: string, test: (item: Import) => boolean) =>
  expect.poll(async () => test(await read(id)), { timeout: 25_000, interval: 20 }).toBe(true)

describe('the example of the README', () => {
  const mapping = join(examples, 'contacts.json')
  const contacts = () => write('contacts.csv', readFileSync(join(examples, 'contacts.csv')))

  it('imports with nothing but a running server, through the socket in its data folder', async () => {
    const environment = { THROUGHLINE_DATA_DIR: world.config.dataDir }
    const typed = await typeImport(world, [contacts(), '--mapping', mapping], { environment })
    expect(typed.code).toBe(0)
    expect(countsIn(typed)).toEqual({
      rows: 6,
      events: 4,
      stored: 4,
      deduplicated: 0,
      rejected: 2,
      no_identifier: 1,
      invalid_email: 1,
    })
    await world.settled()
    const ada = await profile('email:ada@example.com')
    expect(ada.traits).toMatchObject({ name: 'Ada Lindqvist', birthday: '1979-11-02', newsletter: true })
    expect(ada.identifiers).toContainEqual({ namespace: 'user_id', value: '1001' })
    expect(await accounting('contacts')).toMatchObject({ sent: 6, stored: 4, rejected: 2, deduplicated: 0 })
  })

  it('changes nothing when it is imported again', async () => {
    const before = await profile('user_id:1001')
    const typed = await throughline(contacts(), '--mapping', mapping)
    expect(countsIn(typed)).toMatchObject({ rows: 6, events: 4, stored: 0, deduplicated: 4, rejected: 2 })
    await world.settled()
    expect(await profile('user_id:1001')).toEqual(before)
    expect(await accounting('contacts')).toEqual({
      sent: 12,
      stored: 4,
      rejected: 4,
      deduplicated: 4,
      rejectedByReason: { invalid_row: 4 },
    })
  })

  it('gives the rejected rows back as a file that, mended, imports', async () => {
    const path = join(folder, 'contacts.csv.rejects.csv')
    const rejects = readFileSync(path, 'utf8')
    expect(rejects).toContain('5,no_identifier,the row does not say whose it is,,Noah,Berg')
    expect(rejects).toContain('6,invalid_email,column E-mail: not an e-mail address,1006,Ingrid,Åkesson,ingrid(at)')
    writeFileSync(path, rejects.replace(',,Noah', ',1005,Noah').replace('(at)', '@'))
    expect(countsIn(await throughline(path, '--mapping', mapping))).toMatchObject({ rows: 2, stored: 2, rejected: 0 })
    await world.settled()
    expect((await profile('email:ingrid@example.com')).traits.name).toBe('Ingrid Åkesson')
    expect((await profile('user_id:1005')).traits.name).toBe('Noah Berg')
  })
})

describe('a file', () => {
  const rows = [
    { id: 'f1', mail: 'one@example.com', city: 'Århus' },
    { id: 'f2', mail: 'two@example.com', city: 'Kiel; "am Meer"' },
    { id: 'f3', mail: 'three@example.com', city: 'Łódź' },
  ]
  const line = (mark: string) => (cells: string[]) => cells.map(cell => `"${cell.replaceAll('"', '""')}"`).join(mark)
  const flat = (mark: string) =>
    [['id', 'mail', 'city'], ...rows.map(row => [row.id, row.mail, row.city])].map(line(mark)).join('\r\n')
  const ndjson = rows.map(row => JSON.stringify(row)).join('\n')

  it.each<[name: string, content: string | Buffer]>([
    ['people.csv', flat(',')],
    ['people-semicolons.csv', flat(';')],
    ['people.tsv', flat('\t')],
    ['people.utf16.csv', Buffer.from(`\uFEFF${flat(',')}`, 'utf16le')],
    ['people.csv.gz', gzipSync(flat(','))],
    ['people.ndjson', ndjson],
    ['people.ndjson.gz', gzipSync(ndjson)],
    ['people.json', JSON.stringify({ total: 3, people: rows })],
  ])('gives the same people as %s', async (name, content) => {
    const prefix = name.replaceAll(/[^a-z0-9]/g, '-')
    const mapping = writeMapping({
      name: prefix,
      kind: 'people',
      userId: `${prefix}-{id}`,
      traits: { address: '{city}' },
    } as { name: string })
    expect(countsIn(await throughline(write(name, content), '--mapping', mapping))).toMatchObject({
      rows: 3,
      stored: 3,
    })
    await world.settled()
    const cities = await Promise.all(
      rows.map(async row => (await profile(`user_id:${prefix}-${row.id}`)).traits.address),
    )
    expect(cities).toEqual(rows.map(row => row.city))
  })

  it('may come through a pipe', async () => {
    const mapping = writeMapping({ name: 'piped', kind: 'people', userId: 'piped-{id}', traits: {} } as {
      name: string
    })
    const input = (async function* () {
      yield Buffer.from('id,x\n1,a\n2')
      yield Buffer.from(',b\n')
    })()
    const environment = { THROUGHLINE_URL: world.running.url, THROUGHLINE_API_KEY: API_KEY }
    const typed = await typeImport(world, ['-', '--mapping', mapping], { input, environment })
    expect(countsIn(typed)).toMatchObject({ rows: 2, stored: 2 })
  })

  it('may be far larger than any other body', async () => {
    const { id } = await create({ name: 'large' })
    const megabyte = new Uint8Array(1024 * 1024).fill(0x61)
    const large = new Uint8Array(64 * megabyte.length)
    for (let index = 0; index < 64; index += 1) large.set(megabyte, index * megabyte.length)
    const response = await put(`/api/v1/imports/${id}/file?name=large.csv`, large)
    expect([response.status, ((await response.json()) as Import).file]).toEqual([
      200,
      { name: 'large.csv', bytes: large.length, isRemoved: false },
    ])
  })

  it('can be guessed at, and what is guessed imports', async () => {
    const file = write(
      'shop.csv',
      'E-Mail,First name,Sign-up date\nkim@example.com,Kim,2025-03-01\nlee@example.com,Lee,2025-03-02\n',
    )
    const guess = await throughline(file, '--guess')
    expect(guess.err).toContain('E-Mail → traits.email')
    const mapping = write('guessed.json', guess.out)
    const preview = await throughline(file, '--preview', '--mapping', mapping)
    expect([preview.code, preview.err]).toEqual([0, expect.stringContaining('2 rows looked at: 2 identify')])
    expect(countsIn(await throughline(file, '--mapping', mapping))).toMatchObject({ rows: 2, stored: 2 })
    await world.settled()
    expect((await profile('email:kim@example.com')).traits.firstName).toBe('Kim')
  })

  it('that was only looked at leaves nothing behind', async () => {
    const before = await world.get<{ data: { id: string }[] }>('/api/v1/imports?limit=200')
    await throughline(write('looked.csv', 'id,a\n1,2\n'), '--guess', '--name', 'looked-at')
    expect((await world.get<{ data: unknown[] }>('/api/v1/imports?limit=200')).data).toEqual(before.data)
    const sources = await world.get<{ data: { id: string }[] }>('/api/v1/sources?limit=200')
    expect(sources.data.map(source => source.id)).not.toContain('looked-at')
  })
})

describe('companies, products and what happened', () => {
  it('become companies with traits, products with prices, and events of nobody', async () => {
    const companies = writeMapping({
      name: 'companies',
      kind: 'companies',
      groupId: '{no}',
      traits: { name: '{company}', employees: { column: 'staff', type: 'integer' } },
    } as { name: string })
    await throughline(write('companies.csv', 'no,company,staff\nc1,Northwind AB,40\n'), '--mapping', companies)
    const products = writeMapping({
      name: 'products',
      kind: 'products',
      lookups: [{ as: 'group', file: 'groups.csv', key: 'key', column: 'group' }],
      properties: {
        product_id: '{sku}',
        name: '{name}',
        category: '{group.title}',
        price: { column: 'price', type: 'money', currency: 'EUR' },
        cost: { column: 'cost', type: 'money', currency: 'EUR' },
      },
    } as { name: string })
    write('groups.csv', 'key,title\ng1,Tea\n')
    const list = write('products.csv', 'sku,name,group,price,cost\ntea-1,Assam,g1,4.50,1.20\n')
    expect(countsIn(await throughline(list, '--mapping', products))).toMatchObject({ stored: 1 })
    await world.settled()
    expect((await profile('group_id:c1')).traits).toEqual({ name: 'Northwind AB', employees: 40 })
    expect(
      await clickhouse(`
        select product_id, name, category, toString(price) as price, toString(cost) as cost, currency
        from products
        where workspace_id = 1`),
    ).toEqual([{ product_id: 'tea-1', name: 'Assam', category: 'Tea', price: '4.5', cost: '1.2', currency: 'EUR' }])
    const nobodys = `select count() as events from events where source = 'products' and length(nodes) = 0`
    expect(Number((await clickhouse<{ events: number }>(nobodys))[0]?.events)).toBe(1)
  })

  it('happened when the row says; without a time, when the import began, all at once', async () => {
    const events = { name: 'visits', kind: 'events', event: 'Store Visited', userId: '{who}' }
    const timed = writeMapping({
      ...events,
      timestamp: { column: 'at', format: 'dd/MM/yyyy HH:mm', zone: 'Europe/Stockholm' },
    } as { name: string })
    await throughline(write('visits.csv', 'who,at\nv1,03/02/2021 14:30\n'), '--mapping', timed)
    const untimed = writeMapping({ ...events, name: 'untimed' } as { name: string })
    await throughline(
      write('untimed.csv', `who,n\n${Array.from({ length: 2_500 }, (_, n) => `v2,${n}`).join('\n')}`),
      '--mapping',
      untimed,
    )
    await world.settled()
    const at = await clickhouse<{ source: string; first: string; last: string }>(`
      select source, toString(min(timestamp)) as first, toString(max(timestamp)) as last
      from events
      where source in ('visits', 'untimed')
      group by source
      order by source`)
    expect(at[1]).toEqual({ source: 'visits', first: '2021-02-03 13:30:00.000', last: '2021-02-03 13:30:00.000' })
    expect(at[0]?.first).toBe(at[0]?.last)
  })

  it('a row whose events the log would refuse is rejected whole, with the reason', async () => {
    const mapping = writeMapping({
      name: 'refused',
      kind: 'events',
      event: 'Note Added',
      userId: '{id}',
      properties: { note: '{note}' },
      also: [{ kind: 'people', userId: '{id}', traits: { seen: { value: true } } }],
    } as { name: string })
    const file = write(
      'refused.csv',
      `id,note\nr1,short\nr2,"${'x'.repeat(900_000)}"\nr3,${'é'.repeat(700_000)}\nr4,short\n`,
    )
    const typed = await throughline(file, '--mapping', mapping)
    expect(countsIn(typed)).toMatchObject({ rows: 4, events: 6, stored: 6, rejected: 1, event_too_large: 1 })
    expect(readFileSync(`${file}.rejects.csv`, 'utf8')).toMatch(/\n3,event_too_large,/)
    expect(await accounting('refused')).toMatchObject({ sent: 7, stored: 6, rejected: 1 })
  })
})

describe('what is wrong', () => {
  const problemOf = async (method: string, path: string, body?: unknown) => {
    const { status, body: problem } = await world.request(method, path, body)
    return { status, ...(problem as Problem) }
  }

  it('with a mapping is told all at once, by its place', async () => {
    const mapping = {
      name: 'Not A Slug',
      kind: 'events',
      traits: { born: { column: 'b', type: 'date', format: 'QQ' } },
    }
    const problem = await problemOf('POST', '/api/v1/imports', { name: 'bad', mapping })
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request', hint: expect.stringContaining('guesses') })
    expect(problem.faults?.map(fault => fault.path).sort()).toEqual([
      'mapping.event',
      'mapping.name',
      'mapping.traits.born.format',
    ])
    const typed = await throughline(
      write('bad.csv', 'b\n1\n'),
      '--mapping',
      writeMapping({ ...mapping, name: 'bad', kind: 'companies' } as { name: string }),
    )
    expect([typed.code, typed.err]).toEqual([1, expect.stringMatching(/ {2}mapping\.traits\.born\.format: .*/)])
  })

  it('with a file, its columns or its lookups keeps a run from beginning, and says what to do', async () => {
    const mapping = {
      name: 'orders',
      kind: 'events',
      event: 'Order Completed',
      userId: '{Custmer}',
      lookups: [{ as: 'shop', file: 'shops.csv', key: 'no', column: 'Shop' }],
    }
    const { id } = await create({ name: 'orders' })
    const run = () => problemOf('POST', `/api/v1/imports/${id}/runs`)
    expect((await run()).faults?.map(fault => fault.path)).toEqual(['mapping', 'file'])
    await world.request('PATCH', `/api/v1/imports/${id}`, { mapping })
    expect((await run()).faults?.map(fault => fault.path)).toEqual(['file', 'lookups.shop'])
    await put(`/api/v1/imports/${id}/lookups/shop`, 'no,town\n1,Lund\n')
    await put(`/api/v1/imports/${id}/file`, 'Customer,Shop\na,1\n')
    expect(await run()).toMatchObject({
      status: 422,
      hint: 'Its columns are: Customer, Shop.',
      faults: [{ message: 'The file has no column "Custmer".' }],
    })
    await put(`/api/v1/imports/${id}/file`, '')
    expect((await run()).faults).toEqual([expect.objectContaining({ path: 'file' })])
    const typed = await throughline(write('orders.csv', 'Customer,Shop\n'), '--mapping', writeMapping(mapping))
    expect([typed.code, typed.err]).toEqual([1, expect.stringContaining('shops.csv')])
  })

  it('with a damaged file ends the import, the rows before the damage kept', async () => {
    const whole = gzipSync(`id,note\n${Array.from({ length: 50_000 }, (_, n) => `d${n},${Math.sin(n)}`).join('\n')}`)
    const mapping = writeMapping({ name: 'damaged', kind: 'people', userId: '{id}' } as { name: string })
    const typed = await throughline(write('damaged.csv.gz', whole.subarray(0, whole.length / 2)), '--mapping', mapping)
    expect([typed.code, typed.err]).toEqual([1, expect.stringContaining('damaged or cut short')])
    const { rows, stored } = countsIn(typed)
    expect(rows).toBeGreaterThan(10_000)
    expect(stored).toBe(rows)
  })

  it('with who asks: viewers read, editors write, other workspaces see nothing', async () => {
    const viewer = await world.client.request('POST /api/v1/api-keys', { body: { name: 'looker', role: 'viewer' } })
    const { id } = await create({ name: 'private', mapping: { name: 'private', kind: 'people', userId: '{id}' } })
    const asViewer = (method: string, path: string) =>
      fetch(world.running.url + path, { method, headers: { authorization: `Bearer ${viewer.key}` } })
    expect((await asViewer('GET', `/api/v1/imports/${id}`)).status).toBe(200)
    for (const [method, path] of [
      ['POST', `/${id}/runs`],
      ['POST', `/${id}/stops`],
      ['PUT', `/${id}/file`],
      ['PUT', `/${id}/lookups/a`],
      ['DELETE', `/${id}`],
    ] as const) {
      expect((await asViewer(method, `/api/v1/imports${path}`)).status, path).toBe(403)
    }
    const other = await world.client.request('POST /api/v1/workspaces', { body: { name: 'Globex' } })
    const socket = socketFetch(join(world.config.dataDir, 'throughline.sock'))
    const elsewhere = (method: string, path: string) =>
      socket.fetch(`http://localhost/api/v1/imports${path}`, { method, headers: { 'throughline-workspace': other.id } })
    expect(await (await elsewhere('GET', '')).json()).toEqual({ data: [], nextCursor: null })
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/rejects'],
      ['DELETE', ''],
      ['POST', '/runs'],
      ['POST', '/stops'],
      ['PUT', '/file'],
    ] as const) {
      expect((await elsewhere(method, `/${id}${path}`)).status, path).toBe(404)
    }
    await socket.close()
    expect((await read(id)).state).toBe('created')
  })
})

describe('a long import', () => {
  const ROWS = 80_000
  const READERS = 50
  const BAD_EVERY = 1_000
  /** The address of every thousandth row is none. */
  const text = () => {
    const lines = Array.from({ length: ROWS }, (_, n) => {
      const mail = n % BAD_EVERY === 7 ? 'no address' : `news-${n}@example.com`
      return `reader-${n % READERS},${mail}`
    })
    return `reader,mail\n${lines.join('\n')}\n`
  }
  const mappingOf = (name: string) => ({
    name,
    kind: 'events',
    event: 'Email Opened',
    userId: '{reader}',
    timestamp: '2026-03-01T12:00:00Z',
    properties: { to: { column: 'mail', type: 'email' } },
  })
  const whole = { rows: ROWS, events: ROWS - ROWS / BAD_EVERY, rejected: ROWS / BAD_EVERY }
  const start = async (name: string) => {
    const { id } = await create({ name, mapping: mappingOf(name) })
    await put(`/api/v1/imports/${id}/file?name=${name}.csv`, text())
    expect((await world.request('POST', `/api/v1/imports/${id}/runs`)).status).toBe(202)
    await until(id, item => item.rows > 0)
    return id
  }
  const rejectsOf = async (id: string) => {
    const response = await fetch(`${world.running.url}/api/v1/imports/${id}/rejects`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    })
    const lines = (await response.text()).trimEnd().split('\r\n')
    return {
      disposition: response.headers.get('content-disposition'),
      rows: lines.slice(1).map(line => Number(line.split(',')[0])),
    }
  }
  const badRows = Array.from({ length: ROWS / BAD_EVERY }, (_, n) => n * BAD_EVERY + 8)
  const distinct = async (source: string) =>
    Number(
      (
        await clickhouse<{ ids: number }>(`select uniqExact(message_id) as ids from events where source = '${source}'`)
      )[0]?.ids,
    )

  it('stops when it is told to, may not be changed while it runs, and goes on where it was', async () => {
    const id = await start('stopped')
    expect((await world.request('DELETE', `/api/v1/imports/${id}`)).status).toBe(409)
    expect((await world.request('PATCH', `/api/v1/imports/${id}`, { name: 'x', mapping: null })).status).not.toBe(200)
    expect((await put(`/api/v1/imports/${id}/file`, 'a\n1\n')).status).toBe(409)
    expect((await world.request('POST', `/api/v1/imports/${id}/stops`)).status).toBe(202)
    await until(id, item => item.state === 'stopped')
    const stopped = await read(id)
    expect(stopped.rows).toBeLessThan(ROWS)
    expect(stopped.stored).toBe(stopped.events)
    await world.request('POST', `/api/v1/imports/${id}/runs`)
    await until(id, item => item.state === 'done')
    expect(await read(id)).toMatchObject({ ...whole, stored: whole.events, deduplicated: 0 })
    expect((await rejectsOf(id)).rows).toEqual(badRows)
    expect(await accounting('stopped')).toMatchObject({ sent: ROWS, stored: whole.events, rejected: whole.rejected })
  }, 60_000)

  it('goes on by itself after the server was stopped and started in its middle', async () => {
    const id = await start('restarted')
    const stopping = performance.now()
    await world.restart()
    expect(performance.now() - stopping).toBeLessThan(20_000)
    await until(id, item => item.state === 'done')
    expect(await read(id)).toMatchObject({ ...whole, stored: whole.events, deduplicated: 0 })
    const rejects = await rejectsOf(id)
    expect(rejects.rows).toEqual(badRows)
    expect(rejects.disposition).toContain('restarted.csv.rejects.csv')
    await world.settled()
    expect(await distinct('restarted')).toBe(whole.events)
    expect(await accounting('restarted')).toMatchObject({ sent: ROWS, stored: whole.events, rejected: whole.rejected })
  }, 60_000)

  it('is listed newest first, and when it is removed its file goes and its events stay', async () => {
    const list = await world.get<{ data: Import[]; nextCursor: string }>('/api/v1/imports?limit=1')
    const next = await world.get<{ data: Import[] }>(`/api/v1/imports?limit=1&cursor=${list.nextCursor}`)
    expect([list.data[0]?.sourceId, next.data[0]?.sourceId]).toEqual(['restarted', 'stopped'])
    const id = list.data[0]?.id ?? ''
    expect((await world.request('DELETE', `/api/v1/imports/${id}`)).status).toBe(204)
    expect((await world.request('GET', `/api/v1/imports/${id}`)).status).toBe(404)
    expect(await distinct('restarted')).toBe(whole.events)
    expect(() => readFileSync(join(world.config.dataDir, 'imports', id, 'file'))).toThrow(/ENOENT/)
  })

  it('shows how far it is, how fast, and how long it will take', async () => {
    const lines: string[] = []
    const file = write('watched.csv', text())
    const overwrite = (line: string) => lines.push(line)
    const typed = await typeImport(world, [file, '--mapping', writeMapping(mappingOf('watched'))], { overwrite })
    expect(typed.code).toBe(0)
    expect(lines[0]).toMatch(/^sending the file: \d+ %$/)
    expect(
      lines.filter(line => /^\d+ %, [\d,]+ rows, \d+ rejected, [\d,]+ rows\/s, \d+ s left$/.test(line)),
    ).not.toEqual([])
  }, 60_000)

  it('can be left alone: the command ends, the server goes on', async () => {
    const mapping = writeMapping(mappingOf('left-alone'))
    const file = write('left-alone.csv', text())
    const typed = await typeImport(world, [file, '--mapping', mapping], { onInterrupt: () => AbortSignal.abort() })
    expect(typed.code).toBe(130)
    const id = /import ([0-9a-f-]{36})/.exec(typed.err)?.[1] ?? ''
    expect(typed.err).toContain(`POST /api/v1/imports/${id}/stops`)
    await until(id, item => item.state === 'done')
    expect(await read(id)).toMatchObject({ rows: ROWS, file: { name: basename(file) } })
  }, 60_000)
})
