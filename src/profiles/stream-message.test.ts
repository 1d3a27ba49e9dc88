import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../spec/event.ts'
import { MESSAGES_PER_SECOND_MAX, openGate, processedMessage, selectFrom } from './stream-message.ts'

const event = (more: Partial<Event>): Event => ({
  messageId: 'm',
  type: 'track',
  event: 'Seen',
  source: 'web',
  timestamp: '2026-01-01T00:00:00.000Z',
  receivedAt: '2026-01-01T00:00:00.000Z',
  ...more,
})
const rejection = { id: 1, source: 'web', reason: 'missing_event', detail: '', receivedAt: new Date(0) }
const tick = {
  events: [event({}), event({ type: 'page', source: 'app' }), event({ event: 'Bought', source: 'app' })],
  rejections: [rejection, { ...rejection, source: 'app' }],
  missed: 0,
}

describe('a filter', () => {
  test.each([
    [{}, 3, 2],
    [{ source: 'app' }, 2, 1],
    [{ type: 'track' }, 2, 0],
    [{ event: 'Bought' }, 1, 0],
    [{ source: 'web', event: 'Bought' }, 0, 0],
  ])('%j lets %i events and %i rejections through', (filter, events, rejections) => {
    const selected = selectFrom(tick, filter)
    expect([selected.events.length, selected.rejections.length]).toEqual([events, rejections])
  })
})

test('a gate lets at most the limit through in a second, and everything when it is less', () => {
  const steps = fc.array(fc.record({ wanted: fc.nat(300), after: fc.nat(2_000) }), { maxLength: 50 })
  fc.assert(
    fc.property(steps, list => {
      const gate = openGate()
      let now = 0
      let since = Number.NEGATIVE_INFINITY
      let shown = 0
      for (const { wanted, after } of list) {
        now += after
        if (now >= since + 1_000) {
          since = now
          shown = 0
        }
        const allowed = gate(wanted, now)
        expect(allowed).toBe(Math.min(wanted, MESSAGES_PER_SECOND_MAX - shown))
        shown += allowed
      }
    }),
  )
})

test('a message is one line of data, whatever the event holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const lines = processedMessage(event({ properties: { text } }), null).split(/\r\n|\r|\n/)
      expect(lines.length).toBe(4)
      expect(lines[0]).toBe('event: processed')
      expect(JSON.parse(lines[1]?.slice('data: '.length) ?? '')).toMatchObject({
        properties: { text: text.toWellFormed() },
      })
    }),
  )
})
