/**
 * Paths into a delivery: text such as `$.data.object.lines[0].sku` comes in, the value found there goes out.
 *
 * A small, safe part of JSONPath, without filters, scripts or recursion: a path costs as many steps as it has names.
 * Roots: `$` the body, `@` the element that `each` or `collect` stands at, `@parent` the element around it (the value
 * that the wildcard before produced), `headers` the request's headers in lower case. `[*]` only where elements are listed.
 */
import { isJsonObject, type Json } from '../../spec/json.ts'
import { elementsMax, pathCharactersMax, pathStepsMax } from './limits.ts'

type PathRoot = '$' | '@' | '@parent' | 'headers'

export interface Path {
  root: PathRoot
  steps: (string | number | typeof wildcard)[]
}

/** Stands for `[*]`. A symbol, because a key may well be called `*`. */
const wildcard = Symbol('every element')

/** What paths can reach. `item` and `parent` are undefined outside `each` and `collect`. */
export interface Scope {
  body: Json
  headers: Readonly<Record<string, string>>
  item?: Json
  parent?: Json
}

/** Names that lead from data into the language's own machinery; no vendor uses them. */
export const unsafeNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

type ParsedPath = { ok: true; path: Path } | { ok: false; fault: string }

const rootPattern = /^(\$|@parent(?![A-Za-z0-9_-])|@|headers(?![A-Za-z0-9_-]))/
const stepPattern = /^(?:\.([A-Za-z0-9_-]+)|\[(0|[1-9][0-9]{0,5})\]|\[(\*)\]|\["([^"\\]*)"\]|\['([^'\\]*)'\])/

/** Reads a path's text; `fault` says in words what is wrong with it. */
export function parsePath(text: string): ParsedPath {
  if (text.length > pathCharactersMax) return { ok: false, fault: `is longer than ${pathCharactersMax} characters` }
  const root = rootPattern.exec(text)?.[1] as PathRoot | undefined
  if (root === undefined)
    return { ok: false, fault: 'must begin with $ (the body), @ (the element), @parent or headers' }

  const steps: Path['steps'] = []
  let at = root.length
  while (at < text.length) {
    const match = stepPattern.exec(text.slice(at))
    if (!match) return { ok: false, fault: `is not understood from "${text.slice(at, at + 20)}" on` }
    const [matched, name, index, star, doubleQuoted, singleQuoted] = match
    const key = name ?? doubleQuoted ?? singleQuoted
    if (key !== undefined && unsafeNames.has(key)) return { ok: false, fault: `may not use the name "${key}"` }
    steps.push(star ? wildcard : index !== undefined ? Number(index) : (key ?? ''))
    if (steps.length > pathStepsMax) return { ok: false, fault: `has more than ${pathStepsMax} steps` }
    at += matched.length
  }
  return { ok: true, path: { root, steps } }
}

export const hasWildcard = (path: Path): boolean => path.steps.includes(wildcard)

/** The value at the path; undefined where nothing is. Reads own keys only. */
export function readPath(path: Path, scope: Scope): Json | undefined {
  let value = rootValue(path.root, scope)
  for (const step of path.steps) {
    value = step === wildcard ? undefined : stepInto(value, step)
    if (value === undefined) return undefined
  }
  return value
}

/** One element of a list, with the element around it. */
export interface Element {
  item: Json
  parent?: Json
}

/** A value on the way down, with the elements that the last two wildcards stood at. */
interface Cursor {
  value: Json
  item?: Json
  parent?: Json
}

/**
 * The elements at a path, in order: one per value for each `[*]`, and, where the path ends at a list without `[*]`, the
 * list's elements. A single value where a list was expected counts as a list of one (senders born as XML do that).
 * Nulls are no elements. Stops after `elementsMax` and says so with `cut`.
 */
export function readElements(path: Path, scope: Scope): { elements: Element[]; cut: boolean } {
  const root = rootValue(path.root, scope)
  let cursors: Cursor[] = root === undefined ? [] : [{ value: root, item: scope.item }]
  let cut = false
  for (const step of path.steps) {
    const next = cursors.flatMap(cursor => advance(cursor, step))
    cut ||= next.length > elementsMax
    cursors = next.slice(0, elementsMax)
  }
  const endsInList = path.steps.at(-1) === wildcard
  const elements = endsInList
    ? cursors.map(({ value, parent }) => ({ item: value, parent }))
    : cursors.flatMap(({ value, item }) => listOf(value).map(element => ({ item: element, parent: item })))
  return { elements: elements.slice(0, elementsMax), cut: cut || elements.length > elementsMax }
}

function advance(cursor: Cursor, step: Path['steps'][number]): Cursor[] {
  if (step === wildcard) return listOf(cursor.value).map(item => ({ value: item, item, parent: cursor.item }))
  const value = stepInto(cursor.value, step)
  return value === undefined || value === null ? [] : [{ ...cursor, value }]
}

const listOf = (value: Json): Json[] => (Array.isArray(value) ? value.filter(element => element !== null) : [value])

function rootValue(root: PathRoot, scope: Scope): Json | undefined {
  if (root === '$') return scope.body
  if (root === '@') return scope.item
  return root === '@parent' ? scope.parent : (scope.headers as Json)
}

function stepInto(value: Json | undefined, step: string | number): Json | undefined {
  if (typeof step === 'number') return Array.isArray(value) ? value[step] : undefined
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
}
