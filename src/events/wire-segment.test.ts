import { expect, test } from 'vitest'
import { eventTypes } from '../spec/event.ts'
import { readBatch, readPixelData, segmentPaths, segmentSettings } from './wire-segment.ts'

test('every type has a path by its name and by its first letter', () => {
  for (const type of eventTypes) expect([segmentPaths[type], segmentPaths[type[0] as string]]).toEqual([type, type])
})

test('a batch keeps its order and hands down what holds for all', () => {
  const body = {
    batch: [{ a: 1 }, 2],
    sentAt: 'now',
    context: { ip: 'x' },
    integrations: { All: true },
    timestamp: 'ignored',
  }
  expect(readBatch(body)).toEqual({
    calls: [{ value: { a: 1 } }, { value: 2 }],
    isBatch: true,
    sentAt: 'now',
    context: { ip: 'x' },
    integrations: { All: true },
  })
  expect(readBatch([1])).toEqual({ calls: [{ value: 1 }], isBatch: true })
})

test.each([{}, { batch: {} }, { batch: null }, 'text', 7, null])('%j is no batch', body => {
  expect(readBatch(body)).toMatchObject({ reason: 'invalid_field' })
})

test.each([
  ['base64', btoa('{"a":"?>"}')],
  ['base64 for addresses', Buffer.from('{"a":"?>"}').toString('base64url')],
  ['base64 whose + became a space', btoa('{"a":"?>"}').replaceAll('+', ' ')],
])('a pixel is read from %s', (_name, data) => {
  expect(readPixelData({ data })).toEqual({ text: data, value: { a: '?>' } })
})

test.each([undefined, {}, { data: '' }, { data: 'e30x' }, { data: ['a', 'b'] }])(
  'a pixel of %j says what is wrong',
  query => {
    expect(readPixelData(query)).toMatchObject({ fault: { reason: 'invalid_json' } })
  },
)

test('settings name this server and nothing that would load scripts from elsewhere', () => {
  const settings = segmentSettings('wk', 'http://127.0.0.1:7070')
  expect(settings).toMatchObject({
    integrations: { 'Segment.io': { apiKey: 'wk', apiHost: '127.0.0.1:7070/v1', protocol: 'http' } },
    metrics: { sampleRate: 0 },
  })
  expect(Object.keys((settings as { integrations: object }).integrations)).toEqual(['Segment.io'])
})
