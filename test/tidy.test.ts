/** Style as an ordinary test: each rule runs over the whole project, and is shown to find an offence made up for it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ambientUses, hiddenReaches, mayReach, pureRunsShell } from './tidy/purity.ts'
import { wrongImports } from './tidy/rooms.ts'
import {
  anyTypes,
  leftoverNotes,
  longFiles,
  longFunctions,
  misnamedFiles,
  narrowedTests,
  silencedChecks,
  unexplainedFiles,
} from './tidy/shape.ts'
import { readSource, type Source } from './tidy/source.ts'
import {
  foreignSchemas,
  holdsSql,
  limitsWithoutOrder,
  loudSql,
  readsSchemas,
  schemasOf,
  selectsEverything,
  sqlOutsideStores,
} from './tidy/sql.ts'
import { deadFiles, dependencyFaults, migrationFaults, type TextFile, toldPlaces, unusedExports } from './tidy/tree.ts'

const root = join(import.meta.dirname, '..')
const files = readTextFiles()
const sources = files.filter(({ path }) => path.endsWith('.ts')).map(({ path, text }) => readSource(path, text))
const code = files.filter(({ path }) => /\.(ts|js|sql|sh|json)$|^\.ci\//.test(path) && path !== 'package-lock.json')
const migrations = files.filter(({ path }) => path.startsWith('db/'))
const configurations = files.filter(({ path }) => /^(package\.json|vitest\.config\.ts|\.ci\/run|bin\/.*)$/.test(path))
const manifest = JSON.parse(textOf('package.json'))

/** Every text of the project that is or could be committed. */
function readTextFiles(): TextFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  const paths = [...new Set(listed.toString().split('\0').filter(Boolean))].sort()
  return paths.flatMap(path => {
    const text = readIfThere(path)
    return text === undefined || text.includes('\0') ? [] : [{ path, text }]
  })
}

/** A file may be deleted and still be listed. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}

function textOf(path: string): string {
  return files.find(file => file.path === path)?.text ?? ''
}

/** Offending sources, made up: path and text by turns. */
function madeUp(texts: Record<string, string>): Source[] {
  return Object.entries(texts).map(([path, text]) => readSource(path, text))
}

const one = (path: string, text: string) => madeUp({ [path]: text })

describe('imports', () => {
  test('point left along events → identity → profiles → audiences → destinations, and enter a room by its index', () => {
    expect(wrongImports(sources)).toEqual([])
  })

  test.each([
    ['a room that knows one to its right', 'src/identity/graph.ts', '../profiles/index.ts'],
    ['a type of a room to the right', 'src/events/take.ts', '../identity/index.ts'],
    ['the inside of another room', 'src/profiles/fold.ts', '../identity/graph.ts'],
    ['a room from http', 'src/http/server.ts', '../events/index.ts'],
    ['the store from spec', 'src/spec/event.ts', '../store/postgres.ts'],
    ['a driver from spec', 'src/spec/event.ts', 'pg'],
    ['the context from the store', 'src/store/postgres.ts', '../context.ts'],
    ['the pipeline from a room', 'src/events/take.ts', '../pipeline.ts'],
    ['a room from the cli', 'src/cli/import.ts', '../imports/index.ts'],
    ['anything but spec from the simulator', 'src/simulator/plan.ts', '../events/index.ts'],
    ['a test from the program', 'src/events/take.ts', '../../test/engines.ts'],
    ['anything from a folder without a place', 'src/helpers/text.ts', '../spec/json.ts'],
  ])('are refused: %s', (_what, path, target) => {
    expect(wrongImports(one(path, `import { a } from '${target}'`))).toHaveLength(1)
  })

  test('are refused as types, re-exports and dynamic imports too, except that the client takes types from routes', () => {
    const target = "'../profiles/index.ts'"
    expect(wrongImports(one('src/events/a.ts', `import type { A } from ${target}`))).toHaveLength(1)
    expect(wrongImports(one('src/events/a.ts', `export { a } from ${target}`))).toHaveLength(1)
    expect(wrongImports(one('src/events/a.ts', `const a = await import(${target})`))).toHaveLength(1)
    expect(wrongImports(one('src/client/a.ts', `import { a } from ${target}`))).toHaveLength(1)
    expect(wrongImports(one('src/client/a.ts', `import type { A } from ${target}`))).toEqual([])
  })
})

describe('the world', () => {
  test('gives its clock, chance, environment and console to nobody but through the context', () => {
    expect(ambientUses(sources)).toEqual([])
  })

  test.each([
    'Date.now()',
    'new Date()',
    'Date()',
    'performance.now()',
    'Math.random()',
    'process.env.PORT',
    'console.log(1)',
    'const now = Date.now',
    "import { randomUUID } from 'node:crypto'",
    "import { randomBytes } from 'node:crypto'",
  ])('is not asked by %s', text => {
    expect(ambientUses(one('src/profiles/fold.ts', text))).toHaveLength(1)
  })

  test('may be asked for what time a number means, and a shell may make a secret', () => {
    expect(ambientUses(one('src/profiles/fold.ts', 'new Date(0).toISOString(); Date.UTC(2026, 1)'))).toEqual([])
    const secret = "import { randomBytes } from 'node:crypto'\nimport type { Context } from '../context.ts'"
    expect(ambientUses(one('src/workspaces/invite.ts', secret))).toEqual([])
  })

  test('is reached only by files that take the context or a connection', () => {
    expect(hiddenReaches(sources)).toEqual([])
  })

  test.each([
    "import { readFileSync } from 'node:fs'",
    "import pg from 'pg'",
    "await fetch('x')",
    'setTimeout(run, 5)',
  ])('is not reached by a pure file with %s', text => {
    expect(hiddenReaches(one('src/profiles/fold.ts', text))).toHaveLength(1)
    const asShell = `import type { Context } from '../context.ts'\n${text}`
    expect(hiddenReaches(one('src/profiles/unify.ts', asShell))).toEqual([])
  })

  test('is not reached by pure files through the shells of a room', () => {
    expect(pureRunsShell(sources)).toEqual([])
  })

  test('is not reached by a pure file that runs a shell, also behind an index; its types do no harm', () => {
    const shell = "import type { Context } from '../context.ts'\nexport const take = (ctx: Context) => ctx.now()"
    const rooms = { 'src/events/take.ts': shell, 'src/events/index.ts': "export { take } from './take.ts'" }
    const from = (line: string) => pureRunsShell(madeUp({ ...rooms, 'src/profiles/fold.ts': line }))
    expect(from("import { take } from '../events/index.ts'")).toHaveLength(1)
    expect(from("import { take } from '../events/take.ts'")).toHaveLength(1)
    expect(from("import type { take } from '../events/index.ts'")).toEqual([])
  })
})

describe('SQL', () => {
  const store = (sql: string) => one('src/profiles/store.ts', `const text = \`${sql}\``)

  test('stands in store….ts, project.ts, compile….ts and the store folder only, in lower case', () => {
    expect([...sqlOutsideStores(sources), ...loudSql(sources)]).toEqual([])
  })

  test.each([
    'select a from b',
    'insert into b (a) values (1)',
    'update b set a = 1',
    'with a as (select 1) delete from b',
  ])('is refused in another file: %s', sql => {
    expect(sqlOutsideStores(one('src/profiles/unify.ts', `query('${sql}')`))).toHaveLength(1)
    expect(sqlOutsideStores(store(sql))).toEqual([])
  })

  test('is not confused with English, and is refused in capitals', () => {
    expect(sqlOutsideStores(one('src/profiles/unify.ts', "const hint = 'Select a source with events in it.'"))).toEqual(
      [],
    )
    expect(loudSql(store('SELECT a FROM profiles.fragment'))).toHaveLength(1)
  })

  test('has an order by wherever it has a limit', () => {
    expect(limitsWithoutOrder(sources)).toEqual([])
  })

  test('is refused with a limit that another query orders', () => {
    expect(limitsWithoutOrder(store('select a from b limit 5'))).toHaveLength(1)
    expect(limitsWithoutOrder(store('select a from (select a from b order by a) as c limit 5'))).toHaveLength(1)
    expect(limitsWithoutOrder(store('select a from (select a from b limit 5) as c order by a'))).toHaveLength(1)
    expect(limitsWithoutOrder(store('select a from b order by a limit 5'))).toEqual([])
  })

  test('names the columns that it reads', () => {
    expect(selectsEverything(sources)).toEqual([])
  })

  test('is refused when it selects *, but may take whole rows of its own making', () => {
    expect(selectsEverything(store('select * from profiles.fragment'))).toHaveLength(1)
    expect(selectsEverything(store('select a.* from profiles.fragment as a'))).toHaveLength(1)
    expect(selectsEverything(store('delete from b returning *'))).toHaveLength(1)
    expect(selectsEverything(store('select * from unnest($1::int[])'))).toEqual([])
    expect(selectsEverything(store('with a as (select b from c) select * from a'))).toEqual([])
    expect(selectsEverything(store('select count(*) from b'))).toEqual([])
  })

  test('of a room names only the schema of its own', () => {
    expect(foreignSchemas(sources, schemasOf(migrations))).toEqual([])
  })

  test('is refused when it reads, writes or calls into the schema of another room', () => {
    const schemas = schemasOf([{ text: 'create schema events;\ncreate schema profiles;' }])
    expect(foreignSchemas(store('select pos from events.lane'), schemas)).toHaveLength(1)
    expect(foreignSchemas(store('insert into events.lane (lane) values (1)'), schemas)).toHaveLength(1)
    expect(foreignSchemas(store('select events.ensure_log_partition($1)'), schemas)).toHaveLength(1)
    expect(foreignSchemas(store('select node from profiles.fragment as events where events.a = 1'), schemas)).toEqual(
      [],
    )
  })
})

describe('a migration', () => {
  test('has the next number and says why it is there', () => {
    expect(migrationFaults(migrations)).toEqual([])
  })

  test('is refused with a gap before it, a number twice, another name or no reason', () => {
    const file = (path: string, text = '-- Why.') => ({ path, text })
    const first = file('db/postgres/000001_a.sql')
    expect(migrationFaults([first, file('db/postgres/000003_b.sql')])).toHaveLength(1)
    expect(migrationFaults([first, file('db/postgres/000001_b.sql')])).toHaveLength(1)
    expect(migrationFaults([first, file('db/postgres/2_b.sql')])).toHaveLength(1)
    expect(migrationFaults([first, file('db/postgres/000002_b.sql', 'create schema b')])).toHaveLength(1)
    expect(migrationFaults([first, file('db/clickhouse/000001_b.sql')])).toEqual([])
  })
})

describe('a file', () => {
  test('keeps its functions to 70 lines and itself to 400', () => {
    expect([...longFunctions(sources), ...longFiles(sources)]).toEqual([])
  })

  test('is refused with a longer function, or when longer itself, unless it is data', () => {
    const body = '\n  run()'.repeat(69)
    expect(longFunctions(one('src/a/b.ts', `const a = () => {${body}\n}`))).toHaveLength(1)
    expect(longFunctions(one('src/a/b.ts', `class A {\n  run() {${body}\n}\n}`))).toHaveLength(1)
    expect(longFunctions(one('src/a/b.ts', `const a = () => {${body.slice(8)}\n}`))).toEqual([])
    const within = `const make = () => {\n  const a = () => {${body.slice(8)}\n}\n  return { b() {${body.slice(8)}\n} }\n}`
    expect(longFunctions(one('src/a/b.ts', within))).toEqual([])
    expect(longFunctions(one('src/a/b.ts', `const make = () => {\n  use(() => {${body}\n})\n}`))).toHaveLength(2)
    expect(longFiles(one('src/a/b.ts', 'a()\n'.repeat(401)))).toHaveLength(1)
    expect(longFiles(one('src/a/b-data.ts', 'a()\n'.repeat(401)))).toEqual([])
  })

  test('lets the type checker and the linter see everything', () => {
    expect([...anyTypes(sources), ...silencedChecks(code)]).toEqual([])
  })

  test('is refused with an any or a silenced check', () => {
    expect(anyTypes(one('src/a/b.ts', `const a = 1 as ${'any'}; const b: Map<string, ${'any'}[]> = a`))).toHaveLength(2)
    expect(
      silencedChecks([{ path: 'src/a/b.ts', text: `// @ts-${'ignore'}\n// biome-${'ignore'} lint: no` }]),
    ).toHaveLength(2)
  })

  test('is finished: nothing to do is noted in it, and no test leaves tests out', () => {
    expect([...leftoverNotes(code), ...narrowedTests(sources)]).toEqual([])
  })

  test('is refused with a note of things to do, or a test that runs alone or not at all', () => {
    expect(leftoverNotes([{ path: 'src/a/b.ts', text: `// ${'TO'}DO later\n// ${'FIX'}ME` }])).toHaveLength(2)
    expect(narrowedTests(one('src/a/b.test.ts', `test.${'only'}('a', run)`))).toHaveLength(1)
    expect(narrowedTests(one('src/a/b.test.ts', `describe.${'skip'}('a', run)`))).toHaveLength(1)
    expect(narrowedTests(one('src/a/b.test.ts', "test.skipIf(isAway)('a', run)"))).toEqual([])
  })

  test('has a kebab-case name that says something, and says what it is for', () => {
    expect([...misnamedFiles(files.map(({ path }) => path)), ...unexplainedFiles(sources)]).toEqual([])
  })

  test('is refused with another name or, when longer than a glance, without an explanation', () => {
    expect(misnamedFiles(['src/a/readFile.ts', 'src/a/utils.ts', 'src/common/a.ts'])).toHaveLength(3)
    expect(unexplainedFiles(one('src/a/b.ts', `import { a } from './a.ts'\n${'a()\n'.repeat(30)}`))).toHaveLength(1)
    expect(unexplainedFiles(one('src/a/b.ts', `/** Why. */\n${'a()\n'.repeat(30)}`))).toEqual([])
  })

  test('is used: some other file imports it and each value that it exports', () => {
    expect([...deadFiles(sources, configurations), ...unusedExports(sources)]).toEqual([])
  })

  test('is refused when only its own test imports it, and so is an export that nobody imports', () => {
    const lonely = madeUp({
      'src/a/b.ts': 'export const used = 1, unused = 2\nexport type Shape = { a: number }',
      'src/a/b.test.ts': "import { used } from './b.ts'",
    })
    expect(deadFiles(lonely, [])).toHaveLength(1)
    expect(deadFiles(lonely, [{ path: 'package.json', text: 'node src/a/b.ts' }])).toEqual([])
    expect(unusedExports(lonely)).toEqual(['src/a/b.ts:1 exports unused, which nobody imports'])
  })
})

describe('the project', () => {
  test('tells nobody where its packages come from or where a clone of it lies', () => {
    expect(toldPlaces(files)).toEqual([])
  })

  test('is refused with the host of a registry or the path of a machine', () => {
    const texts = [
      `https://registry.${'npmjs'}.org/zod`,
      `see ${'npmjs'}.com`,
      `cd /${'home'}/ada/clone`,
      `"/${'root'}/x"`,
    ]
    for (const text of texts) expect(toldPlaces([{ path: 'README.md', text }]), text).not.toEqual([])
    expect(toldPlaces([{ path: 'README.md', text: 'https://shop.example.com/work/1 ~/clone /tmp/a' }])).toEqual([])
  })

  test('imports every dependency, declares every import, and accounts for each in docs/decisions', () => {
    const decisions = files.filter(({ path }) => path.startsWith('docs/decisions/')).map(({ text }) => text)
    expect(dependencyFaults(sources, manifest, decisions.join('\n'))).toEqual([])
  })

  test('is refused with a dependency that nothing imports, one that is not declared, and one not accounted for', () => {
    const packages = { dependencies: { zod: '4' }, devDependencies: { vitest: '4' }, optionalDependencies: {} }
    const using = (text: string, decisions = '`zod`') => dependencyFaults(one('src/a/b.ts', text), packages, decisions)
    expect(using("import { z } from 'zod'")).toEqual([])
    expect(using("import { z } from 'zod'", '')).toEqual(['zod has no line in docs/decisions'])
    expect(using("import { z } from 'zod/v4'\nimport { test } from 'vitest'")).toHaveLength(1)
    expect(using("import { z } from 'node:zlib'")).toEqual(['zod is a dependency that src/ never imports'])
  })

  test('has no exception to a rule for a file that is gone, and none without a reason', () => {
    const reasons = { ...holdsSql, ...collect(mayReach), ...collect(readsSchemas) }
    const paths = new Set(files.map(({ path }) => path))
    expect(Object.keys(reasons).filter(path => !paths.has(path))).toEqual([])
    expect(Object.entries(reasons).filter(([, why]) => why.length === 0)).toEqual([])
  })
})

function collect(table: Record<string, { why: string }>): Record<string, string> {
  return Object.fromEntries(Object.entries(table).map(([path, { why }]) => [path, why]))
}
