/** JSON objects for ClickHouse's JSON type, which takes less than JSON holds. In: an object. Out: text, and the SQL that reads it. Pure. */

/** Integers beyond 64 bits are refused by ClickHouse's parser; as a fraction of ten they are taken. */
const INTEGER_MAX = 2 ** 63
const LONG_NUMBER = /\d{19}/

export function jsonColumnText(object: object): string {
  const text = JSON.stringify(object)
  return LONG_NUMBER.test(text) ? JSON.stringify(object, shortenInteger) : text
}

/** `JSON.rawJSON` (ECMAScript, JSON.parse source text access) writes a number as it is given; TypeScript does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

function shortenInteger(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Math.abs(value) < INTEGER_MAX || !Number.isInteger(value)) return value
  return rawJSON(value.toExponential())
}

const TYPE = 'JSON(max_dynamic_paths = 256)'

/**
 * The expression that makes a column of such text. What ClickHouse still cannot take becomes an empty object, so that
 * one odd event cannot hold up a block; the event itself stands whole in `body`.
 */
export const asJsonColumn = (column: string): string =>
  `ifNull(accurateCastOrNull(${column}, '${TYPE}'), '{}'::${TYPE})`
