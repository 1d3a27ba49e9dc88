import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const main = resolve(import.meta.dirname, '../../src/main.ts')
const run = promisify(execFile)

let folder: string
let port: number
const children: ChildProcess[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tl-start-'))
  port = await freePort()
})
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGTERM')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const settings = () => ({
  PATH: process.env.PATH,
  THROUGHLINE_DATA_DIR: join(folder, 'data'),
  PORT: String(port),
  THROUGHLINE_ADMIN_EMAIL: 'ada@example.com',
  THROUGHLINE_ADMIN_PASSWORD: 'correct horse battery',
  THROUGHLINE_WRITE_KEY: 'wk_start_test',
  THROUGHLINE_API_KEY: 'tlk_start_test',
  LOG_LEVEL: 'error',
})

/** Starts the program as `npm start` does; resolves when it says where it is. */
async function launch(): Promise<{ child: ChildProcess; output: string }> {
  const child = spawn(process.execPath, [main], { env: settings(), stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => (output += chunk))
  await expect.poll(() => output, { timeout: 60_000 }).toMatch(/runs on http/)
  return { child, output }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exit = new Promise<number | null>(done => child.once('exit', code => done(code)))
  child.kill(signal)
  return exit
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port: free } = server.address() as { port: number }
  await new Promise(done => server.close(done))
  return free
}

const url = (path: string) => `http://127.0.0.1:${port}${path}`
const api = async <T>(path: string) => {
  const response = await fetch(url(path), { headers: { authorization: 'Bearer tlk_start_test' } })
  return (await response.json()) as T
}
const send = (messageId: string) =>
  fetch(url('/v1/track'), {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('wk_start_test:')}` },
    body: JSON.stringify({ messageId, userId: 'ada', event: 'Test' }),
  })
const postmaster = () =>
  Number(readFileSync(join(folder, 'data/postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0])
const isAlive = (pid: number) => existsSync(`/proc/${pid}`)

describe('a server on a folder of its own', () => {
  it('starts from nothing with the keys it was given, refuses a second one, and stops cleanly', async () => {
    const { child, output } = await launch()
    expect(output).toContain('wk_start_test')
    expect(output).not.toContain('correct horse')
    expect((await fetch(url('/ready'))).status).toBe(200)
    expect((await send('first')).status).toBe(200)

    const second = await run(process.execPath, [main], { env: settings() }).catch(error => error)
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/already running on .*\(process \d+\)/)

    const pid = postmaster()
    expect(await end(child, 'SIGTERM')).toBe(0)
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(join(folder, 'data/server.pid'))).toBe(false)
  }, 120_000)

  it('recovers by itself from kill -9, its orphaned PostgreSQL included, and has lost nothing', async () => {
    const { child } = await launch()
    expect((await send('second')).status).toBe(200)
    const orphan = postmaster()
    await end(child, 'SIGKILL')
    expect(isAlive(orphan)).toBe(true)

    await launch()
    expect(isAlive(orphan)).toBe(false)
    await expect
      .poll(() => api<{ eventCount: number }>('/api/v1/profiles/user_id:ada').then(row => row.eventCount), {
        timeout: 20_000,
      })
      .toBe(2)
    // The profile is PostgreSQL's, the timeline ClickHouse's, which hears of it a moment later.
    const timeline = async () =>
      (await api<{ data: { messageId: string }[] }>('/api/v1/profiles/user_id:ada/events')).data.map(
        event => event.messageId,
      )
    await expect.poll(timeline, { timeout: 20_000 }).toEqual(['second', 'first'])
    expect(await api('/api/v1/accounting')).toMatchObject({ sent: 2, stored: 2 })
  }, 120_000)

  it('keeps passwords and keys out of the folder in clear', async () => {
    await pause(0)
    const files = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true }).filter(entry =>
      entry.isFile(),
    )
    const leaks = files.filter(file => {
      const bytes = readFileSync(join(file.parentPath, file.name))
      return bytes.includes('correct horse battery') || bytes.includes('tlk_start_test')
    })
    expect(leaks.map(file => file.name)).toEqual([])
  })
})

it('lists every fault of its settings at once and exits with 2', async () => {
  const env = {
    ...settings(),
    PORT: '70000',
    DATABASE_URL: 'mysql://x',
    THROUGHLINE_ADMIN_EMAIL: 'nobody',
    THROUGHLINE_API_KEY: 'a b',
  }
  const failed = await run(process.execPath, [main, '--roles=api,cook'], { env }).catch(error => error)
  expect(failed.code).toBe(2)
  for (const name of ['PORT', 'DATABASE_URL', 'THROUGHLINE_ADMIN_EMAIL', 'THROUGHLINE_API_KEY', '--roles']) {
    expect(failed.stderr).toContain(name)
  }
  expect(failed.stderr).not.toContain('a b')
})
