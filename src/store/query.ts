/** Small shapes of queries, so that a store reads as its SQL. In: SQL and values. Out: one row, all rows, or how many. */
import type { Queryable } from './postgres.ts'

/** The first row, or undefined. */
export async function first<Row extends object>(
  database: Queryable,
  sql: string,
  values: unknown[],
): Promise<Row | undefined> {
  return (await database.query<Row>(sql, values)).rows[0]
}

/** Every row. */
export async function all<Row extends object>(database: Queryable, sql: string, values: unknown[]): Promise<Row[]> {
  return (await database.query<Row>(sql, values)).rows
}

/** How many rows it touched. */
export async function count(database: Queryable, sql: string, values: unknown[]): Promise<number> {
  return (await database.query(sql, values)).rowCount ?? 0
}
