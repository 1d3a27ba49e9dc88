/** A thin stand-in for a remote ClickHouse: the part of its HTTP interface that `@clickhouse/client` uses, in front of chDB. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { createClient } from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'

export interface ClickHouseServer {
  url: string
  /** Every statement it was asked. */
  statements: string[]
  close(): Promise<void>
}

export async function startClickHouseServer(folder: string): Promise<ClickHouseServer> {
  type Hook = Parameters<typeof createClient>[0] & { connection?: unknown }
  const client = createClient({ connection: createChdbConnection({ path: folder }) } as Hook)
  const statements: string[] = []
  // One connection runs one statement at a time.
  let last: Promise<unknown> = Promise.resolve()
  const run = (request: IncomingMessage) => {
    last = last.catch(() => {}).then(() => answer(request))
    return last as Promise<string>
  }

  async function answer(request: IncomingMessage): Promise<string> {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const body = await buffer(request)
    const asked = searchParams.get('query') ?? body.toString('utf8')
    statements.push(asked)
    const settings: Record<string, string> = {}
    const params: Record<string, string> = {}
    for (const [name, value] of searchParams) {
      if (name.startsWith('param_')) params[name.slice('param_'.length)] = value
      else if (!['query', 'query_id', 'database', 'session_id'].includes(name)) settings[name] = value
    }
    const statement = asked.includes('format Native') ? fromFile(asked, body) : asked
    const options = { clickhouse_settings: settings, query_params: params }
    if (!/\bFORMAT \w+\s*$/.test(statement)) {
      await client.command({ query: statement, ...options })
      return ''
    }
    const result = await client.query({
      query: statement.replace(/\s*FORMAT \w+\s*$/, ''),
      format: 'JSONEachRow',
      ...options,
    })
    return result.text()
  }

  /** chDB has no body to read `input()` from. */
  function fromFile(statement: string, body: Buffer): string {
    const path = join(folder, `${randomUUID()}.native`)
    writeFileSync(path, body)
    return statement.replace(
      /input\('([^']*)'\) format Native/,
      (_, structure: string) => `file('${path}', Native, '${structure}')`,
    )
  }

  const server = createServer((request, response) => {
    run(request).then(
      text => response.end(text),
      error => response.writeHead(500, { 'x-clickhouse-exception-code': '1' }).end(String((error as Error).message)),
    )
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    async close() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
      await last.catch(() => {})
      await client.close()
    },
  }
}
