import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyInBearer, keyInBody, keyInHeaders, keyInQuery } from './wire-auth.ts'

const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` })

describe('a key in headers', () => {
  test.each([
    ['the user name of Basic', basic('wk:'), 'wk'],
    ['a user name without a colon', basic('wk'), 'wk'],
    ['a user name, whatever the password', basic('wk:secret:more'), 'wk'],
    ['Basic in any case', { authorization: basic('wk:').authorization.replace('Basic', 'BASIC') }, 'wk'],
    ['X-Write-Key up to the secret', { 'x-write-key': 'wk:secret' }, 'wk'],
    ['Basic before X-Write-Key', { ...basic('wk:'), 'x-write-key': 'other' }, 'wk'],
    ['X-Write-Key where Basic names nobody', { ...basic(':secret'), 'x-write-key': 'wk' }, 'wk'],
    ['not a Bearer', { authorization: 'Bearer wk' }, undefined],
    ['not longer than any key', basic('k'.repeat(129)), undefined],
    ['nothing in no headers', {}, undefined],
  ])('is %s', (_name, headers, key) => {
    expect(keyInHeaders(headers)).toBe(key)
  })

  test('never throws, whatever stands there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', 'Basic ', 'basic', 'Bearer '), (text, scheme) => {
        const key = keyInHeaders({ authorization: scheme + text, 'x-write-key': text })
        expect(key === undefined || (key !== '' && !key.includes(':'))).toBe(true)
      }),
    )
  })
})

test.each([
  [{ writeKey: 'wk' }, 'wk'],
  [{ api_key: 'wk' }, 'wk'],
  [{ token: 'wk' }, 'wk'],
  [{ writeKey: 'wk', api_key: 'other' }, 'wk'],
  [{ properties: { token: 'wk' } }, 'wk'],
  [[{ properties: { token: 'wk' } }, {}], 'wk'],
  [{ writeKey: 7 }, undefined],
  [{ writeKey: '' }, undefined],
  ['wk', undefined],
  [null, undefined],
  [[], undefined],
])('a key in the body %j is %j', (body, key) => {
  expect(keyInBody(body)).toBe(key)
})

test('a key in the address is writeKey, or api_key', () => {
  expect(keyInQuery({ writeKey: 'wk', api_key: 'other' })).toBe('wk')
  expect(keyInQuery({ api_key: 'wk' })).toBe('wk')
  expect(keyInQuery({ writeKey: ['wk', 'two'] })).toBeUndefined()
  expect(keyInQuery(undefined)).toBeUndefined()
})

test('a Bearer is taken for a key only by whom it is asked for', () => {
  expect(keyInBearer({ authorization: 'Bearer wk ' })).toBe('wk')
  expect(keyInBearer(basic('wk'))).toBeUndefined()
})
