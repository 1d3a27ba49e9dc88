import { describe, expect, test } from 'vitest'
import { deliver, namedBy } from '../../../../test/webhook-delivery.ts'
import type { Json, JsonObject } from '../../../spec/json.ts'
import { readWebhookText } from '../body.ts'
import { callDetailRecordPreset } from './call-detail-record.ts'

const record: JsonObject = {
  call_id: 'call-1',
  direction: 'inbound',
  from: '+4930901820',
  to: '+4930901000',
  agent_id: 7,
  agent_name: 'Robin',
  queue: 'orders',
  started_at: '2026-01-05T09:30:00Z',
  answered_at: '2026-01-05T09:30:12Z',
  ended_at: '2026-01-05T09:34:12Z',
  duration: '252',
  talk_seconds: 240,
  outcome: 'ANSWERED',
  recording_url: 'https://calls.example.com/1',
}
const eventsOf = (body: Json) => deliver(callDetailRecordPreset, body).events
const customer = ['phone:+4930901820']
const namesOf = (body: Json) => namedBy(callDetailRecordPreset, eventsOf(body)[0])

describe('a call', () => {
  test('to us is of who called', () => {
    const [event, ...others] = eventsOf(record)
    expect(others).toEqual([])
    expect(event).toMatchObject({ type: 'track', event: 'Call Completed', timestamp: '2026-01-05T09:30:00.000Z' })
    expect(event?.properties).toEqual({
      call_id: 'call-1',
      direction: 'inbound',
      company_number: '+4930901000',
      queue: 'orders',
      agent_id: '7',
      agent_name: 'Robin',
      started_at: '2026-01-05T09:30:00.000Z',
      answered_at: '2026-01-05T09:30:12.000Z',
      ended_at: '2026-01-05T09:34:12.000Z',
      duration_seconds: 252,
      talk_seconds: 240,
      outcome: 'answered',
      recording_url: 'https://calls.example.com/1',
    })
    expect(namesOf(record)).toEqual(customer)
  })

  test('from us is of whom we called, never of the agent', () => {
    const outbound = { ...record, direction: 'Outbound', from: '+4930901000', to: '+4930901820' }
    expect(namesOf(outbound)).toEqual(customer)
    expect(eventsOf(outbound)[0]?.properties).toMatchObject({ direction: 'outbound', company_number: '+4930901000' })
  })

  test.each([
    [{ outcome: 'no answer' }, 'Call Missed'],
    [{ outcome: 'BUSY' }, 'Call Missed'],
    [{ outcome: 'voicemail', talk_seconds: 12 }, 'Call Missed'],
    [{ outcome: undefined, disposition: 'ANSWERED' }, 'Call Completed'],
    [{ outcome: null }, 'Call Completed'],
    [{ outcome: null, answered_at: null }, 'Call Completed'],
    [{ outcome: null, answered_at: null, talk_seconds: 0 }, 'Call Missed'],
    [{ outcome: null, answered_at: '', talk_seconds: null }, 'Call Missed'],
  ])('with %j is %s', (more, name) =>
    expect(eventsOf({ ...record, ...more }).map(event => event.event)).toEqual([name]),
  )

  test.each(['anonymous', 'Restricted', '+266696687', 'UNKNOWN'])(
    'from the withheld number %s is of nobody, and counts',
    from => {
      const { events, rejects } = deliver(callDetailRecordPreset, { ...record, from })
      expect([events.length, rejects.length]).toEqual([1, 0])
      expect(namesOf({ ...record, from })).toEqual([])
      expect(events[0]?.properties?.direction).toBe('inbound')
    },
  )

  test('between colleagues is left out', () => {
    for (const more of [{ direction: 'internal' }, { from: 'sip:robin@pbx.example.com' }, { to: 'client:robin' }]) {
      expect(deliver(callDetailRecordPreset, { ...record, ...more }).ignored).toBe('no_rule_matched')
    }
  })

  test('without a direction, or without the customer’s number, is rejected and not guessed', () => {
    for (const more of [{ direction: null }, { direction: 'sideways' }, { from: null }]) {
      const { events, rejects } = deliver(callDetailRecordPreset, { ...record, ...more })
      expect([events, rejects.map(reject => reject.reason)]).toEqual([[], ['missing_identifier']])
    }
  })

  test('reported twice is one call', () => {
    const later = { ...record, recording_url: 'https://calls.example.com/1.mp3' }
    expect(eventsOf(later)[0]?.messageId).toBe(eventsOf(record)[0]?.messageId)
  })
})

describe('Twilio’s status callback', () => {
  const fields = {
    CallSid: 'CA00000000000000000000000000000001',
    AccountSid: 'AC00000000000000000000000000000001',
    From: '+4930901820',
    To: '+4930901000',
    CallStatus: 'completed',
    Direction: 'inbound',
    CallDuration: '252',
    Timestamp: 'Mon, 05 Jan 2026 09:34:12 +0000',
    RecordingUrl: 'https://calls.example.com/RE1',
  }
  const post = (more: Record<string, string> = {}): Json => {
    const read = readWebhookText(
      new URLSearchParams({ ...fields, ...more }).toString(),
      'application/x-www-form-urlencoded',
    )
    if (!read.ok) throw new Error(read.message)
    return read.body
  }

  test('is read as it comes', () => {
    const [event] = eventsOf(post())
    expect(event).toMatchObject({ event: 'Call Completed', timestamp: '2026-01-05T09:34:12.000Z' })
    expect(event?.properties).toEqual({
      call_id: fields.CallSid,
      direction: 'inbound',
      company_number: '+4930901000',
      duration_seconds: 252,
      outcome: 'completed',
      recording_url: fields.RecordingUrl,
    })
    expect(namesOf(post())).toEqual(customer)
  })

  test('of a call that we placed names whom we called', () => {
    const placed = post({ Direction: 'outbound-api', From: '+4930901000', To: '+4930901820', CallStatus: 'no-answer' })
    expect(eventsOf(placed)[0]?.event).toBe('Call Missed')
    expect(namesOf(placed)).toEqual(customer)
  })

  test('of a step on the way, or of the leg to the agent, is left out', () => {
    const legs: Record<string, string>[] = [
      { CallStatus: 'ringing' },
      { CallStatus: 'in-progress' },
      { Direction: 'outbound-dial', ParentCallSid: 'CA2', To: '+4930901777' },
      { Direction: 'outbound-dial', To: 'client:robin' },
    ]
    for (const leg of legs) expect(deliver(callDetailRecordPreset, post(leg)).ignored).toBe('no_rule_matched')
  })
})
