/** Size, words and names. In: source files. Out: each that is too long, silenced, unfinished, misnamed or unexplained. */
import { posix } from 'node:path'
import { at, dottedName, isTest, linesIn, type Source, type SyntaxNode, visit } from './source.ts'

const FUNCTION_LINES_MAX = 70
const FILE_LINES_MAX = 400
/** Files shorter than this explain themselves. */
const UNEXPLAINED_LINES_MAX = 30

/** Tables of data may be as long as the data is. */
const isData = (path: string) => path.endsWith('-data.ts')

/**
 * A function that makes an object of functions is as long as a class would be; so each named function inside it is
 * measured by itself, and the outer one without them. Nameless ones (callbacks) count for the function they stand in.
 */
export function longFunctions(sources: Source[]): string[] {
  const found: string[] = []
  for (const source of sources.filter(({ path }) => !isTest(path))) {
    visit(source.program, node => {
      const lines = isFunction(node) ? ownLines(source, node) : 0
      if (lines > FUNCTION_LINES_MAX) found.push(`${at(source, node.start)} is a function of ${lines} lines`)
    })
  }
  return found
}

const isFunction = (node: SyntaxNode) =>
  /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)

function ownLines(source: Source, root: SyntaxNode): number {
  const height = (node: SyntaxNode) => source.text.slice(node.start, node.end).split('\n').length
  return namedInside(root).reduce((lines, inner) => lines - height(inner), height(root))
}

/** The outermost functions inside `root` that have a name: declared, assigned, or members of an object. */
function namedInside(root: SyntaxNode): SyntaxNode[] {
  const named: SyntaxNode[] = []
  const isCovered = (node: SyntaxNode) => named.some(outer => outer.start <= node.start && node.end <= outer.end)
  visit(root, node => {
    const value = (node.type === 'FunctionDeclaration' ? node : (node.init ?? node.value)) as SyntaxNode | undefined
    if (node === root || value === undefined || value === null || !isFunction(value)) return
    if (value !== root && !isCovered(node)) named.push(node)
  })
  return named
}

export const longFiles = (sources: Source[]): string[] =>
  sources
    .filter(({ path, text }) => !path.endsWith('.test.ts') && !isData(path) && linesIn(text) > FILE_LINES_MAX)
    .map(({ path, text }) => `${path} has ${linesIn(text)} lines`)

/** `any` in every disguise that the type checker lets through. */
export function anyTypes(sources: Source[]): string[] {
  const found: string[] = []
  for (const source of sources) {
    visit(source.program, node => {
      if (node.type === 'TSAnyKeyword') found.push(`${at(source, node.start)} says any`)
    })
  }
  return found
}

// Brackets in the patterns keep them from finding themselves.
const silencers = /@ts-[i]gnore|@ts-[n]ocheck|@ts-[e]xpect-error|biome-[i]gnore|eslint-[d]isable/
const leftovers = /\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/

export const silencedChecks = (files: { path: string; text: string }[]): string[] => linesWith(files, silencers)
export const leftoverNotes = (files: { path: string; text: string }[]): string[] => linesWith(files, leftovers)

export const linesWith = (files: { path: string; text: string }[], pattern: RegExp): string[] =>
  files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => ({ where: `${path}:${index + 1}`, found: pattern.exec(line)?.[0] }))
      .filter(({ found }) => found !== undefined)
      .map(({ where, found }) => `${where} says ${found}`),
  )

/** Tests that leave others out, or themselves. `skipIf` states its condition and may stay. */
export function narrowedTests(sources: Source[]): string[] {
  const found: string[] = []
  for (const source of sources.filter(({ path }) => isTest(path))) {
    visit(source.program, node => {
      const name = node.type === 'MemberExpression' ? dottedName(node) : undefined
      if (/^(test|it|describe|suite|bench)(\.\w+)*\.(only|skip|todo)$/.test(name ?? '')) {
        found.push(`${at(source, node.start)} says ${name}`)
      }
    })
  }
  return found
}

const kebabCase = /^[a-z0-9]+([-.][a-z0-9]+)*$/
const vagueNames = /^(utils?|helpers?|common|misc|shared|manager|service)\b/

/** kebab-case, and a name that says something; migrations have a form of their own. */
export const misnamedFiles = (paths: string[]): string[] =>
  paths
    .filter(path => /^(src|test|bench|bin|docs|examples)\//.test(path))
    .filter(path => {
      const names = path.split('/').slice(1)
      const file = posix.basename(path)
      const isFree = path.startsWith('docs/') || path.startsWith('examples/')
      return names.some(name => vagueNames.test(name)) || (!isFree && !kebabCase.test(file))
    })
    .map(path => `${path} is not a kebab-case name that says what is in it`)

/** The comment that tells a reader what the file is for: at its top, or on what it declares. */
export const unexplainedFiles = (sources: Source[]): string[] =>
  sources
    .filter(({ path, text }) => !isTest(path) && linesIn(text) > UNEXPLAINED_LINES_MAX && !/^\/\*\*/m.test(text))
    .map(({ path }) => `${path} says nowhere what it is for`)
