/**
 * What changed rules cost: in, a million of Northwind's calls, sent to a server of its own; out, seconds and memory of a
 * dry run, of rules that only limit, and of rules that give events other nodes, and how long requests waited meanwhile.
 * Run: `node bench/rules.ts [calls]`. Everything shares this machine's cores.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { simulate } from '../src/simulator/index.ts'
import { defaultIdentityRules, type IdentityRules } from '../src/spec/identifier.ts'

const calls = Number(process.argv[2] ?? 1_000_000)
const people = Math.ceil(calls / 50)
const batchCalls = 500
const requestsAtOnce = 8
const port = 7879
const url = `http://127.0.0.1:${port}`
const keys = { write: 'wk_bench_key', api: 'tlk_bench_key' }
const root = '/api/v1/identity-rules'
const bearer = { authorization: `Bearer ${keys.api}` }

const folder = mkdtempSync(join(tmpdir(), 'tl-bench-'))
const server = await startServer()
try {
  await fill()
  console.log(`memory of the process, filled       ${memory(server)}`)
  await measured('nothing', () => pause(5_000).then(() => ({})))
  await measured('dry run', () => ask('POST', `${root}/evaluations`, { rules: changed('email', { limit: 1 }) }))
  await measured('applied: a limit', () => apply(changed('email', { limit: 1 })))
  await measured('applied: logins in upper … lower', () => apply(changed('user_id', { normaliser: 'lower' })))
  await measured('applied: e-mail is no identifier', () => apply(without('email')))
  await measured('applied: the defaults', () => apply(defaultIdentityRules))
} finally {
  const exited = new Promise(done => server.once('exit', done))
  server.kill('SIGTERM')
  await exited
  rmSync(folder, { recursive: true, force: true })
}

function changed(name: string, change: object): IdentityRules {
  const namespaces = { ...defaultIdentityRules.namespaces }
  return {
    ...defaultIdentityRules,
    namespaces: { ...namespaces, [name]: { ...namespaces[name], ...change } },
  } as IdentityRules
}

function without(name: string): IdentityRules {
  const { [name]: _, ...namespaces } = defaultIdentityRules.namespaces
  return { ...defaultIdentityRules, namespaces }
}

async function startServer(): Promise<ChildProcess> {
  const env = {
    PATH: process.env.PATH,
    THROUGHLINE_DATA_DIR: folder,
    PORT: String(port),
    THROUGHLINE_WRITE_KEY: keys.write,
    THROUGHLINE_API_KEY: keys.api,
    LOG_LEVEL: 'warn',
  }
  const main = resolve(import.meta.dirname, '../src/main.ts')
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((done, fail) => {
    child.stdout?.on('data', chunk => String(chunk).includes('runs on') && done())
    child.once('exit', code => fail(new Error(`the server ended with ${code}`)))
  })
  return child
}

async function fill(): Promise<void> {
  const from = performance.now()
  const sending = new Set<Promise<void>>()
  let batch: object[] = []
  let sent = 0
  for (const { call } of simulate({ seed: 7, people, startAt: Date.UTC(2025, 0), days: 365 })) {
    batch.push(call)
    sent += 1
    if (batch.length === batchCalls || sent === calls) {
      const request = send(batch).finally(() => sending.delete(request))
      sending.add(request)
      batch = []
      if (sending.size >= requestsAtOnce) await Promise.race(sending)
    }
    if (sent === calls) break
  }
  await Promise.all(sending)
  await send([{ type: 'track', event: 'Last', userId: 'the-last', messageId: 'the-last' }])
  while ((await fetch(`${url}/api/v1/profiles/user_id:the-last`, { headers: bearer })).status !== 200) await pause(500)
  console.log(`${sent} calls of ${people} people, sent and processed in ${seconds(from)}`)
}

async function send(batch: object[]): Promise<void> {
  for (;;) {
    const headers = { authorization: `Basic ${btoa(`${keys.write}:`)}` }
    const response = await fetch(`${url}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ batch }) })
    await response.arrayBuffer()
    if (response.status === 200) return
    await pause(200)
  }
}

async function ask(method: string, path: string, body?: object): Promise<{ id?: string; finishedAt?: string | null }> {
  const headers = { ...bearer, ...(body && { 'content-type': 'application/json' }) }
  const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const answer = (await response.json()) as { id?: string }
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`)
  return answer
}

async function apply(rules: IdentityRules): Promise<object> {
  let application = await ask('PUT', root, rules)
  while (application.finishedAt === null) {
    await pause(100)
    application = await ask('GET', `${root}/applications/${application.id}`)
  }
  const { rules: _, ...rest } = application as { rules?: unknown }
  return rest
}

/** Runs it, while a request every 20 ms tells how long the process kept others waiting. */
async function measured(label: string, work: () => Promise<object>): Promise<void> {
  const from = performance.now()
  const cpu = cpuSeconds(server)
  const waits: number[] = []
  let peak = 0
  let isDone = false
  const probing = (async () => {
    while (!isDone) {
      const asked = performance.now()
      await (await fetch(`${url}/health`)).arrayBuffer()
      waits.push(performance.now() - asked)
      peak = Math.max(peak, resident(server))
      await pause(20)
    }
  })()
  const result = await work()
  isDone = true
  await probing
  waits.sort((a, b) => a - b)
  const wait = (share: number) => waits[Math.floor((waits.length - 1) * share)]?.toFixed(0)
  console.log(
    `${label.padEnd(34)}  ${seconds(from)} (${(cpuSeconds(server) - cpu).toFixed(1)} s of CPU in the process), at most ${peak} MB; requests p50 ${wait(0.5)} p99 ${wait(0.99)} max ${wait(1)} ms`,
  )
  const { samples: _, ...told } = result as { samples?: unknown }
  console.log(`    ${JSON.stringify(told)}`)
}

function seconds(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`
}

function resident(child: ChildProcess): number {
  const line = readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)
  return Math.round(Number(line?.[1] ?? 0) / 1024)
}

/** User and system time of all its threads; the clock ticks 100 times a second everywhere that has /proc. */
function cpuSeconds(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function memory(child: ChildProcess): string {
  return `${resident(child)} MB`
}
