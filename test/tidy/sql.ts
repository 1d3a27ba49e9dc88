/** SQL in the open. In: source files and the schemas of the migrations. Out: each statement out of place or out of form. */
import { roomOf } from './rooms.ts'
import { isTest, lineOf, type Source, type SyntaxNode, visit } from './source.ts'

interface Statement {
  path: string
  line: number
  /** Interpolations are `$$`. */
  sql: string
}

/** Files that hold SQL though their names do not say so, and why. */
export const holdsSql: Record<string, string> = {}

/** Schemas that a file may name besides its own room's, and why. */
export const readsSchemas: Record<string, { schemas: string[]; why: string }> = {
  'src/sources/store.ts': {
    schemas: ['workspaces'],
    why: 'a write key of an archived workspace is unknown: asked with each unknown key, so in one query',
  },
  'src/backup/store.ts': { schemas: ['events'], why: 'a snapshot holds the tables of all rooms still at one moment' },
}

const opening =
  /^\s*(select\s(?!1\s*$)|insert into\s|update\s+\S+\s+(as \w+\s+)?set\s|delete from\s|with\s+(recursive\s+)?\w+\s*(\([^)]*\)\s*)?as\s|(create|alter|drop|truncate|lock)\s+(or replace\s+)?(unique\s+)?(table|index|view|schema|database|dictionary|function)\s)/
const loudOpening = /^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE TABLE)\s[^a-z]*[a-z_.]/
/** `project.ts` is to a room's part of ClickHouse what `store.ts` is to its part of PostgreSQL. */
const isSqlFile = (path: string) =>
  /\/(store|project|compile)(-[a-z-]+)?\.ts$/.test(path) || path.startsWith('src/store/') || path in holdsSql

/** Every SQL text of the program. */
function statements(sources: Source[], shape = opening): Statement[] {
  const found: Statement[] = []
  for (const source of sources) {
    if (!source.path.startsWith('src/') || isTest(source.path)) continue
    visit(source.program, node => {
      const sql = textOf(node)
      if (sql !== undefined && shape.test(sql))
        found.push({ path: source.path, line: lineOf(source.text, node.start), sql })
    })
  }
  return found
}

function textOf(node: SyntaxNode): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type !== 'TemplateLiteral') return undefined
  return (node.quasis as { value: { cooked: string } }[]).map(quasi => quasi.value.cooked).join('$$')
}

export const sqlOutsideStores = (sources: Source[]): string[] =>
  statements(sources)
    .filter(({ path }) => !isSqlFile(path))
    .map(({ path, line }) => `${path}:${line} holds SQL; it belongs into store….ts, project.ts or compile….ts`)

export const loudSql = (sources: Source[]): string[] =>
  statements(sources, loudOpening).map(({ path, line }) => `${path}:${line} writes SQL in capitals`)

/** `limit` without `order by` in the same (sub)query gives other rows tomorrow. */
export const limitsWithoutOrder = (sources: Source[]): string[] =>
  statements(sources)
    .filter(({ sql }) => isLimitUnordered(sql))
    .map(({ path, line }) => `${path}:${line} has a limit without an order by`)

function isLimitUnordered(sql: string): boolean {
  const isOrdered = [false]
  for (const [token] of sql.replaceAll(/'[^']*'|--.*/g, '').matchAll(/\(|\)|\border\s+by\b|\blimit\b(?!\s*\))/g)) {
    if (token === '(') isOrdered.push(false)
    else if (token === ')') isOrdered.pop()
    else if (token !== 'limit') isOrdered[isOrdered.length - 1] = true
    else if (!isOrdered.at(-1)) return true
  }
  return false
}

/** A column added tomorrow must not change a result of today. Rows that the statement itself names are its own. */
export const selectsEverything = (sources: Source[]): string[] =>
  statements(sources)
    .filter(({ sql }) => isEverythingSelected(sql))
    .map(({ path, line }) => `${path}:${line} selects *`)

function isEverythingSelected(sql: string): boolean {
  if (/\breturning\s+(\w+\.)?\*/.test(sql)) return true
  for (const [, from] of sql.matchAll(/\bselect\s+(?:distinct\s+)?(?:\w+\.)?\*(?:\s+from\s+([\w.]+))?/g)) {
    const isOwn =
      from !== undefined &&
      (from === 'unnest' ||
        new RegExp(`\\b${from}\\s*(\\([^)]*\\)\\s*)?as\\s*(not\\s+)?(materialized\\s*)?\\(`).test(sql))
    if (!isOwn) return true
  }
  return false
}

/** The schemas that migrations create. */
export const schemasOf = (migrations: { text: string }[]): string[] =>
  migrations.flatMap(({ text }) =>
    [...text.matchAll(/^create schema (?:if not exists )?(\w+)/gm)].map(match => match[1] as string),
  )

/** A room's SQL names its own schema; what is another's is asked of its index.ts. */
export function foreignSchemas(sources: Source[], schemas: string[]): string[] {
  const named = new RegExp(
    `\\b(?:from|join|into|update|table|truncate)\\s+(${schemas.join('|')})\\.|\\b(${schemas.join('|')})\\.\\w+\\(`,
    'g',
  )
  return statements(sources).flatMap(({ path, line, sql }) =>
    [...sql.matchAll(named)]
      .map(match => (match[1] ?? match[2]) as string)
      .filter(schema => schema !== roomOf(path) && !readsSchemas[path]?.schemas.includes(schema))
      .map(schema => `${path}:${line} names the schema ${schema}, which is not its own`),
  )
}
