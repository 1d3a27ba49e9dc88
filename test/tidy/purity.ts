/** Pure files and shells. In: source files. Out: each reach for the world that a file was not handed, as a sentence. */
import { roomOf } from './rooms.ts'
import { at, dottedName, isTest, type Source, type SyntaxNode, visit } from './source.ts'

/** Clock, chance, surroundings: these come through `ctx`, to shells too, or no test could choose them. */
const ambientNames =
  /^(Date\.now|performance\.now|Math\.random|crypto\.(randomUUID|getRandomValues)|process\.hrtime.*|console\.\w+)$/
const ambientImports = /^(randomUUID|randomInt|getRandomValues|webcrypto)$/
/** A secret must come from the system's chance, whatever the test; only a shell may make one. */
const secretImports = /^(randomBytes|randomFill|randomFillSync)$/

/** Modules and globals that read or change something outside the process, or wait for it. */
const worldModules =
  /^(node:(fs|fs\/promises|net|tls|http|https|http2|dgram|dns|dns\/promises|child_process|worker_threads|cluster|os|process|timers|timers\/promises|readline)|pg|pg-copy-streams|chdb(\/.*)?|@clickhouse\/client|undici|pino|croner|fastify|@fastify\/.*)$/
const worldGlobals = /^(fetch|setTimeout|setInterval|setImmediate|queueMicrotask|process(\.\w+)*)$/

/** Who may reach for something by itself, and why. */
export const mayReach: Record<string, { names: RegExp; why: string }> = {
  'src/context.ts': { names: /^(Date\.now|randomUUID|process\..*|pino)$/, why: 'here the clock, ids and log enter' },
  'src/main.ts': { names: /^process\..*|^console\.log$/, why: 'the entry hands arguments, environment and signals on' },
  'src/cli/main.ts': { names: /^process\..*/, why: 'the entry hands arguments, environment and output on' },
  'src/http/server.ts': {
    names: /^performance\.now$/,
    why: 'how slow a body is must not follow a clock that can be set',
  },
  'src/store/secrets.ts': { names: /^randomBytes$/, why: 'a key and nonces must come from the system itself' },
  'src/events/accept.ts': { names: /^performance\.now$/, why: 'milliseconds of gathering must not either' },
  'src/store/clickhouse.ts': { names: /^randomUUID$/, why: 'names of files that are read once and removed' },
  'src/imports/open.ts': {
    names: /^(randomUUID|node:(fs|fs\/promises|os))$/,
    why: 'the shell that opens a file to import',
  },
  'src/imports/read.ts': { names: /^node:(fs|fs\/promises|os)$/, why: 'the shell that reads it and removes its spool' },
}

/** These folders are drivers and edges: they talk to the world for everybody else. */
const edges = ['store', 'http', 'cli', 'client']

const handles = /^src\/(context|http\/route)\.ts$|^src\/store\//

/** A shell says so in its imports: it takes the context, a request, a connection or a driver. Everything else is pure. */
const isShell = (source: Source): boolean =>
  source.path in mayReach ||
  /\/(store(-[a-z-]+)?|routes|jobs)\.ts$/.test(source.path) ||
  source.imports.some(({ target, isTypeOnly }) => handles.test(target) || (target === 'pg' && isTypeOnly))

const isProgram = (source: Source) => source.path.startsWith('src/') && !isTest(source.path)
const isEdge = (path: string) => edges.includes(roomOf(path) ?? 'none') || roomOf(path) === undefined

/** Uses of clock, chance, environment or console anywhere in the program. */
export function ambientUses(sources: Source[]): string[] {
  return sources.filter(isProgram).flatMap(source =>
    reaches(source)
      .filter(({ name }) => isAmbient(name) || (secretImports.test(name) && !isShell(source)))
      .map(({ name, where }) => `${where} uses ${name}: take it from the context`),
  )
}

/** Files that were handed nothing and still read or change the world. */
export function hiddenReaches(sources: Source[]): string[] {
  return sources
    .filter(source => isProgram(source) && !isEdge(source.path) && !isShell(source))
    .flatMap(source =>
      reaches(source)
        .filter(({ name }) => worldModules.test(name) || worldGlobals.test(name))
        .map(({ name, where }) => `${where} uses ${name}, but takes neither the context nor a connection`),
    )
}

/** Pure files that run a shell behind their callers' backs. Types may be imported from anywhere. */
export function pureRunsShell(sources: Source[]): string[] {
  const byPath = new Map(sources.map(source => [source.path, source]))
  return sources
    .filter(
      source => isProgram(source) && !isEdge(source.path) && !isShell(source) && !source.path.endsWith('/index.ts'),
    )
    .flatMap(source =>
      source.imports
        .filter(item => !item.isTypeOnly)
        .flatMap(item => item.names.map(name => ({ home: homeOf(byPath, item.target, name), line: item.line })))
        .filter(({ home }) => home !== undefined && isShell(home) && !isEdge(home.path))
        .map(({ home, line }) => `${source.path}:${line} is pure but runs the shell ${home?.path}`),
    )
}

/** The file that really declares a name, behind any index that hands it on. */
function homeOf(byPath: Map<string, Source>, target: string, name: string): Source | undefined {
  const source = byPath.get(target)
  const origin = source?.exports.find(item => item.name === name && !item.isType)?.origin
  return origin === undefined ? source : homeOf(byPath, origin.target, origin.name)
}

const isAmbient = (name: string) =>
  ambientNames.test(name) || ambientImports.test(name) || /^(new Date\(\)|Date\(\)|process\.env)$/.test(name)

/** What a file reaches for by itself and may not, by name. */
function reaches(source: Source): { name: string; where: string }[] {
  const found: { name: string; where: string }[] = []
  const add = (name: string, where: string) => {
    if (!mayReach[source.path]?.names.test(name)) found.push({ name, where })
  }
  for (const item of source.imports) {
    if (item.isTypeOnly) continue
    for (const name of [item.target, ...(item.target === 'node:crypto' ? item.names : [])]) {
      add(name, `${source.path}:${item.line}`)
    }
  }
  visit(source.program, node => {
    const name = globalUse(node)
    if (name !== undefined) add(name, at(source, node.start))
  })
  return found
}

/** The clock, chance, environment or network that a piece of code uses without an import. */
function globalUse(node: SyntaxNode): string | undefined {
  if (node.type === 'NewExpression' && dottedName(node.callee) === 'Date') {
    return (node.arguments as unknown[]).length === 0 ? 'new Date()' : undefined
  }
  if (node.type === 'CallExpression') {
    const name = dottedName(node.callee)
    if (name === 'Date') return 'Date()'
    return name !== undefined && worldGlobals.test(name) && !name.startsWith('process') ? name : undefined
  }
  if (node.type !== 'MemberExpression') return undefined
  const name = dottedName(node)
  return name !== undefined && (ambientNames.test(name) || processUses.test(name)) ? name : undefined
}

/** Named one by one, because `process` is also a good word for what happens in a shop. */
const processUses = /^process\.(env|argv|exit|exitCode|on|once|kill|stdout|stderr|stdin|pid|cwd|execPath|platform)$/
