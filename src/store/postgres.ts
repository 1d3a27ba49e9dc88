/** PostgreSQL: one pool of connections, embedded or at DATABASE_URL, and transactions on it. */
import pg from 'pg'

export type Postgres = pg.Pool
/** A connection inside or outside a transaction; every query function takes one. */
export type Queryable = Pick<pg.ClientBase, 'query'>
export type Connection = pg.PoolClient

const POOL_SIZE = 24
const CONNECT_TIMEOUT_MS = 5_000
const IDLE_TIMEOUT_MS = 60_000

// bigint (node ids, positions, counts) stays below 2^53 here, so it is read as a number.
const INT8_OID = 20
const parseInt8 = (text: string) => Number(text)

export type PostgresTarget =
  | { connectionString: string }
  | { host: string; port: number; user: string; database: string }

/** Opens a pool. Connections that break while idle are dropped quietly: the next query opens another. */
export function openPostgres(target: PostgresTarget, options: { size?: number } = {}): Postgres {
  const pool = new pg.Pool({
    ...target,
    max: options.size ?? POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8_OID ? parseInt8 : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  })
  pool.on('error', () => {})
  return pool
}

/**
 * Runs `work` in one transaction: committed when it returns, rolled back when it throws. A connection whose rollback
 * fails is closed, never handed to the next caller.
 */
export async function transaction<T>(pool: Postgres, work: (client: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** True when the database could not be reached or went away: the caller may answer 503 and try again later. */
export function isConnectionLost(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string') {
    // Class 08 connection exception; 57P0x shutdown; 53300 too many connections; the rest are Node's.
    return /^08|^57P0|^53300$|^ECONN|^EPIPE$|^ENOENT$|^ETIMEDOUT$/.test(code)
  }
  return (
    typeof message === 'string' &&
    /Connection terminated|timeout exceeded when trying to connect|not queryable/.test(message)
  )
}

/** True when trying the same work again may succeed: the connection was lost, or another transaction was in the way. */
export function isTransient(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  // 40001 serialization failure, 40P01 deadlock, 55P03 lock not available.
  return isConnectionLost(error) || code === '40001' || code === '40P01' || code === '55P03'
}
