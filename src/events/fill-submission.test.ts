import { expect, test } from 'vitest'
import { isEvent } from '../spec/event.ts'
import { BATCH_EVENTS_MAX, type Call, type Delivery } from './delivery.ts'
import { EVENT_BYTES_MAX, fillSubmission } from './fill-submission.ts'

const receiving = { workspaceId: 1, source: 'web', receivedAt: Date.UTC(2026, 5, 1, 12), newMessageId: () => 'm-new' }
const fill = (calls: Call[], more: Partial<Delivery> = {}) =>
  fillSubmission({ calls, isBatch: true, ...more }, receiving)
const seen = (text = '') => ({ type: 'track', event: 'Seen', userId: 'ada', properties: { text } })

test('each call is an event with its line, or a rejection; the order stays', () => {
  const { submission, refused } = fill([{ value: seen('1') }, { value: 7 }, { value: seen('2') }])
  expect(submission.lines).toEqual(submission.events.map(event => JSON.stringify(event)))
  expect(submission.events.filter(isEvent).map(event => event.properties?.text)).toEqual(['1', '2'])
  expect(refused).toMatchObject([{ index: 1, reason: 'not_an_object' }])
  expect(submission.rejections).toMatchObject([{ reason: 'not_an_object', payload: '7' }])
})

test('an event of exactly the limit fits, one byte more does not, counted in bytes', () => {
  const empty = fill([{ value: seen() }]).submission.lines[0] as string
  const room = EVENT_BYTES_MAX - Buffer.byteLength(empty)
  const reasons = (text: string) => fill([{ value: seen(text) }]).refused.map(({ reason }) => reason)
  expect(reasons('x'.repeat(room))).toEqual([])
  expect(reasons('x'.repeat(room + 1))).toEqual(['event_too_large'])
  expect(reasons('é'.repeat(Math.floor(room / 2)))).toEqual([])
  expect(reasons('é'.repeat(Math.floor(room / 2) + 1))).toEqual(['event_too_large'])
})

test('what is above the limit of a batch is refused without being read', () => {
  const calls = Array.from({ length: BATCH_EVENTS_MAX + 2 }, () => ({ value: seen() }))
  const { submission, refused } = fill(calls)
  expect(submission.events.length).toBe(BATCH_EVENTS_MAX)
  expect(refused.map(({ index, reason }) => [index, reason])).toEqual([
    [BATCH_EVENTS_MAX, 'batch_overflow'],
    [BATCH_EVENTS_MAX + 1, 'batch_overflow'],
  ])
})

test('the type of the path outranks that of the body, call by call', () => {
  const { submission } = fill([{ value: seen(), type: 'page' }, { value: seen() }])
  expect(submission.events.map(event => event.type)).toEqual(['page', 'track'])
})

test('a rejection holds what it takes to send it again by itself', () => {
  const { submission } = fill(
    [{ value: { groupId: 'x' }, type: 'group' }, { value: { type: 'track', sentAt: 'own' } }],
    { sentAt: 'batch' },
  )
  expect(submission.rejections.map(({ payload }) => JSON.parse(payload.toString()))).toEqual([
    { type: 'group', sentAt: 'batch', groupId: 'x' },
    { type: 'track', sentAt: 'own' },
  ])
})
