/** Settings come in; open databases go out, embedded or remote, with what closes them again. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { type ClickHouse, openEmbeddedClickHouse, openRemoteClickHouse } from './clickhouse.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { openPostgres, type Postgres, type PostgresTarget } from './postgres.ts'

/** Steps that undo what was opened, in the order of opening: run them from the last. */
export type Undo = (() => Promise<void> | void)[]

export async function openDatabase(
  config: Config,
  undo: Undo,
): Promise<{ target: PostgresTarget; postgres: Postgres }> {
  let target: PostgresTarget
  if (config.databaseUrl) target = { connectionString: config.databaseUrl }
  else {
    const server = await startEmbeddedPostgres(join(config.dataDir, 'postgres'))
    undo.push(server.stop)
    target = server.connection
  }
  const postgres = openPostgres(target)
  undo.push(() => postgres.end())
  return { target, postgres }
}

export async function openAnalytics(config: Config, undo: Undo): Promise<ClickHouse> {
  const clickhouse = config.clickhouseUrl
    ? openRemoteClickHouse(config.clickhouseUrl)
    : await openEmbeddedClickHouse(join(config.dataDir, 'clickhouse'))
  undo.push(() => clickhouse.close())
  return clickhouse
}
