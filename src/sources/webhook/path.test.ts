import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../spec/json.ts'
import { elementsMax, pathCharactersMax } from './limits.ts'
import { hasWildcard, parsePath, readElements, readPath, type Scope } from './path.ts'

const scopeOf = (body: Json, more: Partial<Scope> = {}): Scope => ({ body, headers: {}, ...more })

function read(text: string, scope: Scope): Json | undefined {
  const parsed = parsePath(text)
  if (!parsed.ok) throw new Error(parsed.fault)
  return readPath(parsed.path, scope)
}

function list(text: string, scope: Scope): ReturnType<typeof readElements> {
  const parsed = parsePath(text)
  if (!parsed.ok) throw new Error(parsed.fault)
  return readElements(parsed.path, scope)
}

describe('a path', () => {
  test('reads names, indexes and quoted names', () => {
    const body = { a: { b: [{ c: 1 }, { 'odd name.': 2, "it's": 3 }] }, 'x-y': 4 }
    expect(read('$.a.b[0].c', scopeOf(body))).toBe(1)
    expect(read('$.a.b[1]["odd name."]', scopeOf(body))).toBe(2)
    expect(read('$["a"]["b"][1]["it\'s"]', scopeOf(body))).toBe(3)
    expect(read('$.x-y', scopeOf(body))).toBe(4)
    expect(read('$', scopeOf(body))).toBe(body)
  })

  test('reads headers in lower case, the element and the element around it', () => {
    const scope = scopeOf({}, { headers: { 'x-shopify-topic': 'orders/create' }, item: { id: 1 }, parent: { id: 2 } })
    expect(read('headers.x-shopify-topic', scope)).toBe('orders/create')
    expect(read('@.id', scope)).toBe(1)
    expect(read('@parent.id', scope)).toBe(2)
    expect(read('@', scope)).toEqual({ id: 1 })
  })

  test('finds nothing where nothing is, and never what every object inherits', () => {
    const body = { a: [1], s: 'text', n: null }
    for (const path of [
      '$.b',
      '$.a[1]',
      '$.a.length',
      '$.s[0]',
      '$.s.length',
      '$.n.x',
      '$.toString',
      '$.a.map',
      '@.x',
    ]) {
      expect(read(path, scopeOf(body)), path).toBeUndefined()
    }
  })

  test.each([
    ['x.y', 'must begin with'],
    ['', 'must begin with'],
    ['@parents.x', 'not understood'],
    ['headersx', 'must begin with'],
    ['$.', 'not understood'],
    ['$..a', 'not understood'],
    ['$.a[-1]', 'not understood'],
    ['$.a[01]', 'not understood'],
    ['$.a[?(@.b)]', 'not understood'],
    ['$.a b', 'not understood'],
    ['$.__proto__.polluted', 'may not use'],
    ['$["constructor"].prototype', 'may not use'],
    ['$.a.prototype', 'may not use'],
    [`$.${'a'.repeat(pathCharactersMax)}`, 'longer than'],
    [`$${'.a'.repeat(17)}`, 'more than 16 steps'],
  ])('%s is refused: %s', (text, fault) => {
    const parsed = parsePath(text)
    expect(parsed.ok).toBe(false)
    expect(!parsed.ok && parsed.fault).toContain(fault)
  })

  test('a key called * is a key, and [*] a wildcard', () => {
    expect(read('$["*"]', scopeOf({ '*': 7 }))).toBe(7)
    const parsed = parsePath('$.a[*].b')
    expect(parsed.ok && hasWildcard(parsed.path)).toBe(true)
  })

  test('any text parses or is refused, and any path reads any JSON, without throwing', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (text, body) => {
        const parsed = parsePath(text)
        if (parsed.ok) {
          readPath(parsed.path, scopeOf(body as Json))
          readElements(parsed.path, scopeOf(body as Json))
        }
      }),
    )
  })
})

describe('elements', () => {
  const body = {
    entry: [
      { id: 'a', changes: [{ f: 1 }, { f: 2 }] },
      { id: 'b', changes: [{ f: 3 }] },
      { id: 'c', changes: [] },
    ],
  }

  test('come one per value of each wildcard, with the element around them', () => {
    const { elements } = list('$.entry[*].changes[*]', scopeOf(body))
    expect(elements.map(element => element.item)).toEqual([{ f: 1 }, { f: 2 }, { f: 3 }])
    expect(elements.map(element => (element.parent as { id: string }).id)).toEqual(['a', 'a', 'b'])
  })

  test('a list at the end needs no wildcard', () => {
    expect(list('$.entry[*].changes', scopeOf(body))).toEqual(list('$.entry[*].changes[*]', scopeOf(body)))
    expect(list('$', scopeOf([1, 2])).elements.map(element => element.item)).toEqual([1, 2])
  })

  test('a single value counts as a list of one; null and what is missing count as none', () => {
    expect(list('$.line', scopeOf({ line: { sku: 'T' } })).elements).toEqual([
      { item: { sku: 'T' }, parent: undefined },
    ])
    expect(list('$.line', scopeOf({ line: null })).elements).toEqual([])
    expect(list('$.line[*].x', scopeOf({})).elements).toEqual([])
    expect(list('$.line', scopeOf({ line: [null, 1] })).elements.map(element => element.item)).toEqual([1])
  })

  test('values below the wildcard know the element they stand in', () => {
    const { elements } = list('$.entry[*].id', scopeOf(body))
    expect(elements.map(element => element.item)).toEqual(['a', 'b', 'c'])
    expect(elements[0]?.parent).toBe(body.entry[0])
  })

  test('are cut at the limit, and say so', () => {
    const { elements, cut } = list('$[*]', scopeOf(Array.from({ length: elementsMax + 1 }, (_, index) => index)))
    expect(elements).toHaveLength(elementsMax)
    expect(cut).toBe(true)
    expect(list('$[*]', scopeOf([1])).cut).toBe(false)
  })
})
