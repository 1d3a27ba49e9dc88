/** Rows as a ClickHouse Native block: columns in, one Buffer out. The cheapest way in that ClickHouse has (measured in bench/). */

/** The column types that we write; conversions to LowCardinality, JSON or Decimal happen in the insert's select. */
export type NativeType =
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int64'
  | 'DateTime64(3)'
  | 'String'
  | 'Array(UInt64)'

export type NativeColumn =
  | { name: string; type: 'UInt8' | 'UInt16' | 'UInt32' | 'UInt64' | 'Int64' | 'DateTime64(3)'; values: number[] }
  | { name: string; type: 'String'; values: (string | Buffer)[] }
  | { name: string; type: 'Array(UInt64)'; values: number[][] }

/**
 * Encodes columns of equal length (format Native, revision 0: counts as varints, then each column's name, type and
 * data; https://clickhouse.com/docs/interfaces/formats/Native). Numbers are safe integers; times are epoch milliseconds.
 */
export function encodeNative(columns: NativeColumn[]): Buffer {
  const rows = columns[0]?.values.length ?? 0
  const parts: Buffer[] = [varint(columns.length), varint(rows)]
  for (const column of columns) {
    if (column.values.length !== rows)
      throw new Error(`column ${column.name} has ${column.values.length} rows, not ${rows}`)
    parts.push(encodeString(column.name), encodeString(column.type), encodeColumn(column))
  }
  return Buffer.concat(parts)
}

/** `name Type, …`, as the table functions `file` and `input` want it. */
export const nativeStructure = (columns: NativeColumn[]) =>
  columns.map(({ name, type }) => `${name} ${type}`).join(', ')

function encodeColumn(column: NativeColumn): Buffer {
  switch (column.type) {
    case 'String':
      return encodeStrings(column.values)
    case 'Array(UInt64)':
      return encodeArrays(column.values)
    case 'UInt8':
      return Buffer.from(Uint8Array.from(column.values))
    case 'UInt16':
      return bytesOf(Uint16Array.from(column.values))
    case 'UInt32':
      return bytesOf(Uint32Array.from(column.values))
    case 'UInt64':
    case 'Int64':
    case 'DateTime64(3)':
      return encodeInt64(column.values)
  }
}

const bytesOf = (array: Uint16Array | Uint32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)

const TWO_TO_32 = 2 ** 32

function encodeInt64(values: number[]): Buffer {
  const words = new Uint32Array(values.length * 2)
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number
    const high = Math.floor(value / TWO_TO_32)
    words[index * 2] = value - high * TWO_TO_32
    words[index * 2 + 1] = high
  }
  return Buffer.from(words.buffer)
}

function encodeArrays(values: number[][]): Buffer {
  let end = 0
  const offsets = values.map(array => {
    end += array.length
    return end
  })
  return Buffer.concat([encodeInt64(offsets), encodeInt64(values.flat())])
}

const VARINT_BYTES_MAX = 5

function encodeStrings(values: (string | Buffer)[]): Buffer {
  let bytes = 0
  for (const value of values) bytes += VARINT_BYTES_MAX + (typeof value === 'string' ? value.length * 3 : value.length)
  const buffer = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const value of values) {
    const length = Buffer.byteLength(value)
    at = writeVarint(buffer, length, at)
    if (typeof value === 'string') at += buffer.write(value, at)
    else at += value.copy(buffer, at)
  }
  return buffer.subarray(0, at)
}

function encodeString(value: string): Buffer {
  return encodeStrings([value])
}

function varint(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(VARINT_BYTES_MAX + 3)
  return buffer.subarray(0, writeVarint(buffer, value, 0))
}

function writeVarint(buffer: Buffer, value: number, at: number): number {
  let rest = value
  let position = at
  while (rest >= 0x80) {
    buffer[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[position++] = rest
  return position
}
