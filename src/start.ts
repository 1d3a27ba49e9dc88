/** Settings come in; a running system goes out: databases, roles and server, started in order and stopped in reverse. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Registry } from 'prom-client'
import type { Config, Role } from './config.ts'
import { type Context, openLog, systemClock } from './context.ts'
import { type Accepter, type Driver, eventJobs, openAccepter, receiveWebhook } from './events/index.ts'
import { collectRoutes } from './events/routes.ts'
import { buildServer, type ReadinessCheck, serveOnSocket } from './http/server.ts'
import { SOCKET_NAME } from './http/socket.ts'
import { importJobs } from './imports/index.ts'
import { openPipeline } from './pipeline.ts'
import { profileJobs } from './profiles/index.ts'
import { apiRoutes } from './routes.ts'
import { findByWriteKey } from './sources/index.ts'
import type { ClickHouse } from './store/clickhouse.ts'
import { claimDataFolder } from './store/data-folder.ts'
import { type Jobs, startJobs } from './store/jobs.ts'
import { migrateClickHouse, migratePostgres, migrationFolders, readMigrations } from './store/migrate.ts'
import { openAnalytics, openDatabase, type Undo } from './store/open.ts'
import type { Postgres, PostgresTarget } from './store/postgres.ts'
import { authenticator, type FirstStart, firstStart } from './workspaces/index.ts'

export interface Running {
  url: string
  context: Context
  first: FirstStart
  /** Stops in the order in which nothing is lost: no new requests, then what is queued, then the databases. */
  stop(): Promise<void>
}

/** Throws StartError with a sentence and a hint when it cannot start; whatever had been started is stopped again. */
export async function start(config: Config): Promise<Running> {
  const undo: Undo = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const folder = claimDataFolder(config.dataDir)
    undo.push(folder.release)
    const { target, postgres } = await openDatabase(config, undo)
    const clickhouse = await openAnalytics(config, undo)
    await migratePostgres(postgres, readMigrations(migrationFolders.postgres))
    await migrateClickHouse(clickhouse, readMigrations(migrationFolders.clickhouse))
    const system = openRoles(config, target, postgres, clickhouse, undo)
    const first = await firstStart(system.context)
    await untilReady(system)
    const url = await listen(system, undo)
    return { url, context: system.context, first, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface System {
  context: Context
  readiness: Record<string, ReadinessCheck>
}

function openRoles(
  config: Config,
  target: PostgresTarget,
  postgres: Postgres,
  clickhouse: ClickHouse,
  undo: Undo,
): System {
  const has = (role: Role) => config.roles.has(role)
  const log = openLog(config.logLevel)
  let pipeline: Driver | undefined
  // Every role may write to the log: imports run as jobs, decisions come through the API.
  const accepter: Accepter = openAccepter({ ...systemClock, log }, target, groups => pipeline?.offer(groups))
  const context: Context = { config, ...systemClock, postgres, clickhouse, log, accepter }
  const readiness: Record<string, ReadinessCheck> = {
    postgres: () => postgres.query('select 1'),
    clickhouse: () => clickhouse.query('select 1'),
    log: () => assertReady(accepter.isReady()),
  }
  if (has('pipeline')) {
    const driver = openPipeline(context)
    pipeline = driver
    undo.push(driver.close)
    readiness.pipeline = () => assertReady(driver.isReady())
  }
  undo.push(accepter.close)
  if (has('jobs') || has('api')) {
    // The file of an import lies with the process that received it: only that one can run it.
    const ofSystem = has('jobs') ? [...eventJobs(context), ...profileJobs(context)] : []
    const jobs: Jobs = startJobs(postgres, log, [...ofSystem, ...importJobs(context)])
    undo.push(jobs.close)
    readiness.jobs = () => assertReady(jobs.isReady())
  }
  return { context, readiness }
}

const READY_TIMEOUT_MS = 5_000
const READY_POLL_MS = 20

/** Waits a little, so that whoever reads the address finds a server that works; what is not ready by then `/ready` tells. */
async function untilReady({ readiness }: System): Promise<void> {
  for (let waited = 0; waited < READY_TIMEOUT_MS; waited += READY_POLL_MS) {
    const checks = await Promise.allSettled(Object.values(readiness).map(async check => check()))
    if (checks.every(check => check.status === 'fulfilled')) return
    await pause(READY_POLL_MS)
  }
}

function assertReady(isReady: boolean): void {
  if (!isReady) throw new Error('not ready')
}

async function listen({ context, readiness }: System, undo: Undo): Promise<string> {
  const { config } = context
  const isApi = config.roles.has('api')
  const app = await buildServer(context, {
    routes: isApi ? apiRoutes : [],
    authenticate: authenticator(context),
    plugins: isApi ? [collectPlugin(context)] : [],
    readiness,
    registry: new Registry(),
  })
  undo.push(() => app.close())
  await serveOnSocket(app, join(config.dataDir, SOCKET_NAME))
  return app.listen({ host: config.host, port: config.port })
}

const collectPlugin = (context: Context) =>
  collectRoutes({
    accepter: context.accepter,
    findSource: async writeKey => (await findByWriteKey(context, writeKey)) ?? undefined,
    newMessageId: context.uuid,
    now: context.now,
    receiveWebhook: delivery => receiveWebhook(context, delivery),
  })
