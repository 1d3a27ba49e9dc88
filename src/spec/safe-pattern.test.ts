import fc from 'fast-check'
import { expect, it } from 'vitest'
import { faultOfPattern, patternLengthMax } from './safe-pattern.ts'

it.each([
  '^[0-]*$',
  '@(internal|example)\\.com$',
  '^test.*@example\\.com$',
  '^\\+?1?555',
  '^.{3,}-[a-z]$',
  'bot',
  '(?:a|b)c',
  'a{3}',
  '[*+?{]',
])('accepts %j', pattern => expect(faultOfPattern(pattern)).toBeUndefined())

it.each([
  ['(a+)+$', 'repeats a group'],
  ['(a|b)*', 'repeats a group'],
  ['(?:ab){3}', 'repeats a group'],
  ['(a)\\1', 'refers back'],
  ['(?<n>a)\\k<n>', 'looks around or names a group'],
  ['(?=a)b', 'looks around'],
  ['(?<!a)b', 'looks around'],
  ['a*b', 'repeats too much'],
  ['^.*.*$', 'repeats too much'],
  ['^a*|b', 'repeats too much'],
  ['a?b?c?d?e?', 'optional parts'],
  ['a{100}', 'counts beyond'],
  ['a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r', 'alternatives'],
  ['(a|b)(a|b)(a|b)(a|b)', 'groups with alternatives'],
  ['x'.repeat(patternLengthMax + 1), 'longer than'],
  ['[a', 'is not a regular expression'],
  ['(a', 'is not a regular expression'],
])('refuses %j, for it %s', (pattern, why) => expect(faultOfPattern(pattern)).toContain(why))

it('lets no accepted pattern run long, whatever the value', () => {
  const part = fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '\\w',
    '(',
    ')',
    '(?:',
    '|',
    '*',
    '+',
    '?',
    '{1,9}',
    '{2}',
    '{2,}',
    '^',
    '$',
    '\\b',
  )
  const pattern = fc.array(part, { maxLength: 14 }).map(parts => parts.join(''))
  const value = fc.constantFrom(
    'a'.repeat(512),
    'ab'.repeat(256),
    `${'a'.repeat(511)}!`,
    `${'b'.repeat(300)}${'a'.repeat(212)}`,
  )
  fc.assert(
    fc.property(pattern, value, (source, text) => {
      if (faultOfPattern(source) !== undefined) return
      const before = process.cpuUsage().user
      new RegExp(source, 'i').test(text)
      expect((process.cpuUsage().user - before) / 1_000).toBeLessThan(100)
    }),
    { numRuns: 2_000 },
  )
})
