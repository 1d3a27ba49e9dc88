import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findJsonFault } from './json-fault.ts'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('the first fault of a text', () => {
  test.each([
    ['{ "kind": }', 10],
    ['{"a": 1', 7],
    ['{"a" 1}', 5],
    ['{"a": 1,}', 8],
    ['[1, 2', 5],
    ['[1,]', 3],
    ['{"a": tru}', 6],
    ["{'a': 1}", 1],
    ['{"a": "unfinished}', 6],
    ['1 2', 2],
    ['', 0],
    ['[}', 1],
  ])('of %s is at %i', (text, at) => expect(findJsonFault(text)).toBe(at))

  test('is there exactly where the engine finds one too', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      'true',
      'nul',
      ' ',
      '\\',
      '\n',
      '0',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 8 }).map(parts => parts.join('')),
          fc.json(),
          fc.string(),
        ),
        text => {
          expect(findJsonFault(text) === undefined).toBe(isJson(text))
        },
      ),
      { numRuns: 2000 },
    )
  })
})
