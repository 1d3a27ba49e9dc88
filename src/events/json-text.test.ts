import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson, stringifyAny } from './json-text.ts'

test('what PostgreSQL or UTF-8 cannot hold becomes the replacement character, in keys too', () => {
  expect(parseJson('{"a\\u0000":"\\ud83dx","b":["\\uDC00"]}')).toEqual({ 'a\uFFFD': '\uFFFDx', b: ['\uFFFD'] })
  expect(parseJson(Buffer.from([0x22, 0xff, 0x22]))).toBe('\uFFFD')
})

test('whole characters stay, however they are written', () => {
  expect(parseJson('["\\ud83d\\ude00","😀","\\u00e9"]')).toEqual(['😀', '😀', 'é'])
})

test('__proto__ is a key like any other', () => {
  const value = parseJson('{"__proto__":{"x":"\\u0000"}}') as Record<string, unknown>
  expect(Object.keys(value)).toEqual(['__proto__'])
  expect(value.x).toBeUndefined()
})

test('any JSON comes back as it was, well-formed', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), value => {
      const text = JSON.stringify(value)
      const expected = JSON.parse(JSON.stringify(JSON.parse(text)).toWellFormed())
      if (!/\\u0000|\\ud[89a-f]/i.test(text)) expect(parseJson(Buffer.from(text))).toEqual(expected)
      const again = JSON.stringify(parseJson(text))
      expect(again).not.toMatch(/\\u0000|\\ud[89a-f]/)
    }),
  )
})

test('a value that is too deep to write is cut, not refused', () => {
  const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
  expect(stringifyAny(deep)).toMatch(/^\[{200}"…"\]{200}$/)
  expect(stringifyAny({ a: 1 })).toBe('{"a":1}')
  expect(stringifyAny(undefined)).toBe('null')
})
