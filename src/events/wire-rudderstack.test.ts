import { expect, test } from 'vitest'
import { readRudderPixel, sourceConfig } from './wire-rudderstack.ts'

test('a dot in the name of a field makes an object; the key is not part of the call', () => {
  const query = {
    writeKey: 'wk',
    userId: 'ada',
    event: 'Opened',
    'properties.mail.id': '7',
    'properties.mail.kind': 'news',
    'context.ip': 'x',
  }
  expect(readRudderPixel(query, 'track').calls[0]).toEqual({
    type: 'track',
    value: { userId: 'ada', event: 'Opened', properties: { mail: { id: '7', kind: 'news' } }, context: { ip: 'x' } },
  })
})

test('names that mean something to JavaScript are names', () => {
  const { calls } = readRudderPixel({ 'properties.__proto__.x': '1', 'constructor.prototype.y': '2' }, 'track')
  expect(({} as Record<string, unknown>).x ?? ({} as Record<string, unknown>).y).toBeUndefined()
  expect(JSON.stringify(calls[0]?.value)).toBe(
    '{"properties":{"__proto__":{"x":"1"}},"constructor":{"prototype":{"y":"2"}}}',
  )
})

test('a field that is both a value and an object is what was said last; of a repeated one the first counts', () => {
  const { calls } = readRudderPixel({ name: ['one', 'two'], 'a.b': '1', a: '2' }, 'page')
  expect(calls[0]?.value).toEqual({ name: 'one', a: '2' })
})

test('a name with too many parts is left out', () => {
  expect(readRudderPixel({ 'a.b.c.d.e.f.g.h.i': '1' }, 'track').calls[0]?.value).toEqual({})
})

test('a source that is switched off stops the SDK', () => {
  const config = (isEnabled: boolean) => sourceConfig({ workspaceId: 1, slug: 'web', isEnabled }, 'wk')
  expect(config(true)).toMatchObject({ source: { id: 'web', writeKey: 'wk', enabled: true, destinations: [] } })
  expect(config(false)).toMatchObject({ source: { enabled: false } })
})
