import { expect, test } from 'vitest'
import { readJitsu } from './wire-jitsu.ts'

test('the path names the type', () => {
  expect(readJitsu({ type: 'track' }, 'identify')).toEqual({
    calls: [{ value: { type: 'track' }, type: 'identify' }],
    isBatch: false,
  })
})

test('a path that is no type leaves it to the body', () => {
  expect(readJitsu({ type: 'track' }, 'event').calls).toEqual([{ value: { type: 'track' } }])
})

test('the name of a page is taken from its properties, where it has none', () => {
  const page = { type: 'page', properties: { name: 'Home' } }
  expect(readJitsu(page, 'page').calls[0]?.value).toEqual({ ...page, name: 'Home' })
  expect(readJitsu({ ...page, name: 'Own' }, 'page').calls[0]?.value).toMatchObject({ name: 'Own' })
  expect(readJitsu({ type: 'track', properties: { name: 'x' } }, 'track').calls[0]?.value).not.toHaveProperty('name')
})

test.each([null, 7, 'x', []])('%j is handed on for the parser to refuse', body => {
  expect(readJitsu(body, 'track').calls[0]?.value).toBe(body)
})
