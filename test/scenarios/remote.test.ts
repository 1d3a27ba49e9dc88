import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, start } from '../../src/start.ts'
import { type ClickHouseServer, startClickHouseServer } from '../clickhouse-http.ts'
import { openGround, openWorld, type World } from '../world.ts'

let folder: string
let server: ClickHouseServer
let world: World
let pipeline: Running
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tl-remote-'))
  server = await startClickHouseServer(join(folder, 'clickhouse'))
  const ground = await openGround()
  const config = { ...ground.config, clickhouseUrl: server.url }
  pipeline = await start({ ...config, dataDir: join(folder, 'pipeline'), roles: new Set(['pipeline', 'jobs']) })
  world = await openWorld({ ...ground, config: { ...config, roles: new Set(['api']) } })
})
afterAll(async () => {
  await pipeline.stop()
  await world.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

it('works with ClickHouse and PostgreSQL at URLs, the API and the pipeline sharing nothing but the two', async () => {
  await world.send(
    {
      type: 'track',
      messageId: 'r1',
      anonymousId: 'phone',
      event: 'Product Viewed',
      properties: { price: 4.5, 'a.b': "it's" },
    },
    { type: 'identify', messageId: 'r2', userId: 'ada', anonymousId: 'phone', traits: { email: 'ada@example.com' } },
  )
  const { data } = await world.get<{ data: { messageId: string; properties: object }[] }>(
    '/api/v1/profiles/email:ada@example.com/events',
  )
  expect(data.map(event => event.messageId).sort()).toEqual(['r1', 'r2'])
  expect(data.find(event => event.messageId === 'r1')?.properties).toEqual({ price: 4.5, 'a.b': "it's" })
  expect(await world.get('/api/v1/accounting')).toMatchObject({ sent: 2, stored: 2 })
  expect(server.statements.some(statement => /insert into events .* from input\(/s.test(statement))).toBe(true)
  expect((await fetch(`${world.running.url}/ready`)).status).toBe(200)
  expect((await fetch(`${pipeline.url}/ready`)).status).toBe(200)
  expect((await fetch(`${pipeline.url}/v1/track`, { method: 'POST' })).status).toBe(404)
})
