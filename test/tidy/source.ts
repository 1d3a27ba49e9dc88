/** In: the text of one source file. Out: what the tidy rules ask of it: its syntax tree, imports, exports and lines. */
import { posix } from 'node:path'
import { parseAst } from 'vitest/node'

/** A node of the ESTree syntax tree; only what the rules read is spelled out. */
export interface SyntaxNode {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

export interface Import {
  /** A path from the project's root (`src/spec/json.ts`), or a package as it is written (`node:fs`, `zod`). */
  target: string
  /** `*` stands for all of them. */
  names: string[]
  isTypeOnly: boolean
  /** False: a package. */
  isFile: boolean
  line: number
}

export interface Export {
  name: string
  isType: boolean
  line: number
  /** Where it is handed on from, and what it is called there. */
  origin?: { target: string; name: string }
}

export interface Source {
  path: string
  text: string
  program: SyntaxNode
  imports: Import[]
  exports: Export[]
}

/** Reads one file. Throws when it is not TypeScript. */
export function readSource(path: string, text: string): Source {
  const program = parse(path, text)
  const lineAt = (offset: number) => lineOf(text, offset)
  return {
    path,
    text,
    program,
    imports: readImports(path, program, lineAt),
    exports: readExports(path, program, lineAt),
  }
}

function parse(path: string, text: string): SyntaxNode {
  try {
    return parseAst(text, { lang: 'ts' }) as unknown as SyntaxNode
  } catch (cause) {
    throw new Error(`${path} cannot be parsed`, { cause })
  }
}

export const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

export const linesIn = (text: string): number => text.trimEnd().split('\n').length

/** Tests and what they stand on: `fold.test.ts`, `world.test-data.ts`, everything in `test/`. */
export const isTest = (path: string): boolean => /\.test(-\w+)?\.ts$/.test(path) || path.startsWith('test/')

export const at = (source: Source, offset: number): string => `${source.path}:${lineOf(source.text, offset)}`

/** Calls `look` with every node below (and with) `root`, parents first. */
export function visit(root: SyntaxNode, look: (node: SyntaxNode) => void): void {
  look(root)
  for (const value of Object.values(root)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) visit(item, look)
    } else if (isNode(value)) visit(value, look)
  }
}

/** `a.b` for a plain member access, `a` for a plain name; anything else is undefined. */
export function dottedName(value: unknown): string | undefined {
  if (!isNode(value)) return undefined
  if (value.type === 'Identifier') return value.name as string
  if (value.type !== 'MemberExpression' || value.computed) return undefined
  const owner = dottedName(value.object)
  return owner === undefined ? undefined : `${owner}.${dottedName(value.property)}`
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string'

type LineAt = (offset: number) => number

function readImports(path: string, program: SyntaxNode, lineAt: LineAt): Import[] {
  const imports: Import[] = []
  const add = (node: SyntaxNode, specifier: unknown, names: string[], isTypeOnly: boolean) => {
    if (!isNode(specifier) || typeof specifier.value !== 'string') return
    imports.push({
      target: resolveTarget(path, specifier.value),
      names,
      isTypeOnly,
      isFile: specifier.value.startsWith('.'),
      line: lineAt(node.start),
    })
  }
  visit(program, node => {
    if (node.type === 'ImportExpression') add(node, node.source, ['*'], false)
    if (node.type === 'TSImportType') add(node, node.source ?? node.argument, ['*'], true)
    if (node.type === 'ExportAllDeclaration') add(node, node.source, ['*'], node.exportKind === 'type')
    if (node.type !== 'ImportDeclaration' && node.type !== 'ExportNamedDeclaration') return
    const specifiers = node.specifiers as SyntaxNode[]
    const kind = node.type === 'ImportDeclaration' ? 'importKind' : 'exportKind'
    const isType = node[kind] === 'type' || (specifiers.length > 0 && specifiers.every(item => item[kind] === 'type'))
    add(node, node.source, specifiers.map(importedName), isType)
  })
  return imports
}

function importedName(specifier: SyntaxNode): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  return nameOf(specifier.type === 'ImportSpecifier' ? specifier.imported : specifier.local)
}

function readExports(path: string, program: SyntaxNode, lineAt: LineAt): Export[] {
  const exports: Export[] = []
  for (const node of program.body as SyntaxNode[]) {
    const line = lineAt(node.start)
    if (node.type === 'ExportDefaultDeclaration') exports.push({ name: 'default', isType: false, line })
    if (node.type !== 'ExportNamedDeclaration') continue
    for (const name of declaredNames(node.declaration)) exports.push({ name, isType: isTypeDeclaration(node), line })
    for (const item of node.specifiers as SyntaxNode[]) {
      const isType = node.exportKind === 'type' || item.exportKind === 'type'
      const found: Export = { name: nameOf(item.exported), isType, line }
      const from = isNode(node.source) ? (node.source.value as string) : undefined
      if (from !== undefined) found.origin = { target: resolveTarget(path, from), name: nameOf(item.local) }
      exports.push(found)
    }
  }
  return exports
}

const isTypeDeclaration = (node: SyntaxNode) =>
  node.exportKind === 'type' || /^TS(Interface|TypeAlias)/.test((node.declaration as SyntaxNode).type)

function declaredNames(declaration: unknown): string[] {
  if (!isNode(declaration)) return []
  if (!Array.isArray(declaration.declarations)) return [nameOf(declaration.id)]
  return declaration.declarations.flatMap((item: SyntaxNode) => boundNames(item.id as SyntaxNode))
}

/** The names that a pattern binds: `a`, `{ a, b: c }`, `[a]`. */
function boundNames(pattern: SyntaxNode): string[] {
  if (pattern.type === 'Identifier') return [pattern.name as string]
  const names: string[] = []
  for (const property of (pattern.properties ?? pattern.elements ?? []) as SyntaxNode[]) {
    if (isNode(property)) names.push(...boundNames((property.value ?? property.argument ?? property) as SyntaxNode))
  }
  return names
}

const nameOf = (node: unknown): string => (isNode(node) ? String(node.name ?? node.value) : '')

const resolveTarget = (path: string, specifier: string): string =>
  specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier
