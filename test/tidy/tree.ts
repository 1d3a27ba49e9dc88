/** The project as a whole. In: its files. Out: what nobody uses, what is missing, and what must not be told. */
import { linesWith } from './shape.ts'
import { isTest, type Source } from './source.ts'

export interface TextFile {
  path: string
  text: string
}

/** Files that no other file imports and no configuration names. A file that only tests import serves nobody. */
export function deadFiles(sources: Source[], configurations: TextFile[]): string[] {
  const isNamed = (path: string) => configurations.some(({ text }) => text.includes(path))
  const users = (path: string) => sources.filter(source => source.imports.some(item => item.target === path))
  return sources
    .filter(({ path }) => path.includes('/') && !path.endsWith('.test.ts') && !isNamed(path))
    .filter(({ path }) => !users(path).some(user => isTest(path) || !isTest(user.path)))
    .map(({ path }) => `${path} is used by no other file`)
}

/**
 * Values that are exported and imported nowhere, tests included. Types are exempt (a public function's types must have
 * names), and so are default exports, which configurations load.
 */
export function unusedExports(sources: Source[]): string[] {
  const used = new Set(
    sources.flatMap(source => source.imports.flatMap(item => item.names.map(name => `${item.target}#${name}`))),
  )
  return sources.flatMap(({ path, exports }) =>
    exports
      .filter(item => !item.isType && item.name !== 'default')
      .filter(item => !used.has(`${path}#${item.name}`) && !used.has(`${path}#*`))
      .map(item => `${path}:${item.line} exports ${item.name}, which nobody imports`),
  )
}

/** 000001, 000002 … in each folder, every file beginning with the reason for it. */
export function migrationFaults(migrations: TextFile[]): string[] {
  const faults: string[] = []
  const next = new Map<string, number>()
  for (const { path, text } of [...migrations].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const [, folder, digits] = /^(db\/\w+)\/(\d{6})_[a-z0-9-]+\.sql$/.exec(path) ?? []
    if (folder === undefined) {
      faults.push(`${path} is not named like 000001_what-it-makes.sql`)
      continue
    }
    const expected = (next.get(folder) ?? 0) + 1
    if (Number(digits) !== expected) faults.push(`${path} should have the number ${expected}`)
    next.set(folder, Number(digits))
    if (!/^-- \S/.test(text)) faults.push(`${path} does not begin with a comment that says why`)
  }
  return faults
}

// Brackets in the patterns keep them from finding themselves.
const registryHosts = /registry[.][a-z0-9-]+[.][a-z]{2,}|\b[n]pmjs[.](org|com)\b|\b(gh|mcr)[.]cr\b/i
const machinePaths = /(^|[^\w.-])\/([w]ork|[r]oot|[h]ome|[U]sers)\/[\w.-]+/

/** Where packages come from and where this clone lies is each reader's own business. */
export const toldPlaces = (files: TextFile[]): string[] => [
  ...linesWith(files, registryHosts),
  ...linesWith(files, machinePaths),
]

interface Manifest {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  optionalDependencies: Record<string, string>
}

/** Used without an import: the program that everything runs on. */
const usedByPath = ['node']

/** `@scope/name/inside` → `@scope/name` */
const packageOf = (target: string) =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')

/** What the program depends on, against what it imports and what docs/decisions accounts for. */
export function dependencyFaults(sources: Source[], manifest: Manifest, decisions: string): string[] {
  const imported = new Map<string, string>()
  for (const source of sources) {
    for (const item of source.imports) {
      if (item.isFile || item.target.startsWith('node:')) continue
      const name = packageOf(item.target)
      if (source.path.startsWith('src/') && !isTest(source.path)) imported.set(name, source.path)
      else if (!imported.has(name)) imported.set(name, '')
    }
  }
  const faults: string[] = []
  for (const [name, path] of imported) {
    if (name in manifest.dependencies) continue
    if (path !== '') faults.push(`${path} imports ${name}, which is no dependency of the program`)
    else if (!(name in manifest.devDependencies))
      faults.push(`a test imports ${name}, which package.json does not name`)
  }
  for (const name of Object.keys(manifest.dependencies)) {
    if (!imported.get(name) && !usedByPath.includes(name))
      faults.push(`${name} is a dependency that src/ never imports`)
    if (!decisions.includes(`\`${name}\``)) faults.push(`${name} has no line in docs/decisions`)
  }
  return faults
}
