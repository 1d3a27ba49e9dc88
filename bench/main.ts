/**
 * `npm run bench`: starts a server on a folder of its own, sends it events from this process over loopback, and prints
 * how fast they are accepted durably and how soon they can be read. Everything shares this machine's cores.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const PEOPLE = 50_000
const NEW_DEVICE_SHARE = 0.05
const PORT = 7878
const KEYS = { write: 'wk_bench_key', api: 'tlk_bench_key' }
const names = ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed']

let made = 0
function makeEvent(): object {
  made += 1
  const person = Math.floor(Math.random() * PEOPLE)
  const isNewDevice = Math.random() < NEW_DEVICE_SHARE
  return {
    type: 'track',
    messageId: `bench-${process.pid}-${made}`,
    userId: `user-${person}`,
    anonymousId: isNewDevice ? `device-${person}-${made}` : `device-${person}`,
    event: names[made % names.length],
    timestamp: new Date().toISOString(),
    properties: {
      product_id: `p-${made % 293}`,
      category: `c-${made % 8}`,
      price: (made % 5_000) / 100,
      quantity: 1 + (made % 3),
      currency: 'EUR',
    },
    context: {
      library: { name: 'bench', version: '1' },
      page: { url: `https://shop.example.com/p/${made % 293}`, path: `/p/${made % 293}` },
    },
  }
}

interface Server {
  child: ChildProcess
  folder: string
}

async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'tl-bench-'))
  const env = {
    PATH: process.env.PATH,
    THROUGHLINE_DATA_DIR: folder,
    PORT: String(PORT),
    THROUGHLINE_WRITE_KEY: KEYS.write,
    THROUGHLINE_API_KEY: KEYS.api,
    LOG_LEVEL: 'warn',
  }
  const child = spawn(process.execPath, [resolve(import.meta.dirname, '../src/main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((done, fail) => {
    child.stdout?.on('data', chunk => String(chunk).includes('runs on') && done())
    child.once('exit', code => fail(new Error(`the server ended with ${code}`)))
  })
  return { child, folder }
}

const agent = new Agent({ keepAlive: true, maxSockets: 512 })
const authorization = `Basic ${Buffer.from(`${KEYS.write}:`).toString('base64')}`

function post(path: string, body: string): Promise<number> {
  return new Promise((done, fail) => {
    const sent = request(
      {
        agent,
        host: '127.0.0.1',
        port: PORT,
        path,
        method: 'POST',
        headers: { authorization, 'content-length': Buffer.byteLength(body) },
      },
      response => {
        response.resume().once('end', () => done(response.statusCode ?? 0))
      },
    )
    sent.once('error', fail)
    sent.end(body)
  })
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, { headers: { authorization: `Bearer ${KEYS.api}` } })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return (await response.json()) as T
}

/** Keeps `connections` requests under way for `seconds`; prints requests a second and their latency. */
async function load(
  label: string,
  options: { connections: number; seconds: number; eventsPerRequest: number; path: string },
): Promise<number> {
  const until = performance.now() + options.seconds * 1000
  const latencies: number[] = []
  let refused = 0
  const from = performance.now()
  const worker = async () => {
    while (performance.now() < until) {
      const events = Array.from({ length: options.eventsPerRequest }, makeEvent)
      const body = JSON.stringify(options.eventsPerRequest === 1 ? events[0] : { batch: events })
      const start = performance.now()
      if ((await post(options.path, body)) === 200) latencies.push(performance.now() - start)
      else refused += 1
    }
  }
  await Promise.all(Array.from({ length: options.connections }, worker))
  const seconds = (performance.now() - from) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1)
  const events = latencies.length * options.eventsPerRequest
  console.log(
    `${label.padEnd(34)} ${Math.round(events / seconds)
      .toString()
      .padStart(7)} ev/s   p50 ${at(0.5)} p95 ${at(0.95)} p99 ${at(0.99)} max ${at(0.9999)} ms   refused ${refused}`,
  )
  return events
}

/** Resolves when the last event of a marker person can be read both as profile and on the timeline. */
async function untilReadable(): Promise<number> {
  const marker = `marker-${made}`
  const from = performance.now()
  await post('/v1/track', JSON.stringify({ ...makeEvent(), userId: marker, anonymousId: marker }))
  for (;;) {
    const page = await get<{ data: object[] }>(`/api/v1/profiles/user_id:${marker}/events`).catch(() => ({ data: [] }))
    if (page.data.length > 0) return performance.now() - from
    await pause(5)
  }
}

function memory(pid: number): string {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)
  return `${Math.round(Number(line?.[1] ?? 0) / 1024)} MB`
}

const server = await startServer()
try {
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}, load and both databases on the same machine`,
  )
  console.log(`idle memory of the server process   ${memory(server.child.pid as number)}`)
  await load('warm-up', { connections: 16, seconds: 5, eventsPerRequest: 100, path: '/v1/batch' })
  await untilReadable()
  await load('single events, 64 connections', { connections: 64, seconds: 10, eventsPerRequest: 1, path: '/v1/track' })
  await untilReadable()
  const from = performance.now()
  const events = await load('batches of 100, 16 connections', {
    connections: 16,
    seconds: 20,
    eventsPerRequest: 100,
    path: '/v1/batch',
  })
  await untilReadable()
  const seconds = (performance.now() - from) / 1000
  console.log(
    `${'end to end, until all is readable'.padEnd(34)} ${Math.round(events / seconds)
      .toString()
      .padStart(7)} ev/s`,
  )
  const fresh: number[] = []
  for (let probe = 0; probe < 50; probe += 1) fresh.push(await untilReadable())
  fresh.sort((a, b) => a - b)
  console.log(
    `${'idle: accepted until readable'.padEnd(34)} p50 ${fresh[25]?.toFixed(0)} p95 ${fresh[47]?.toFixed(0)} ms`,
  )
  console.log(`memory of the server process after  ${memory(server.child.pid as number)}`)
} finally {
  agent.destroy()
  const exited = new Promise(done => server.child.once('exit', done))
  server.child.kill('SIGTERM')
  await exited
  rmSync(server.folder, { recursive: true, force: true })
}
