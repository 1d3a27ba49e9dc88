import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { correctTime, EVENT_TIME_MIN_MS, readInstant } from './time.ts'

const RECEIVED = Date.UTC(2026, 5, 1, 12)
const DAY = 86_400_000
const iso = (ms: number) => new Date(ms).toISOString()

describe('readInstant', () => {
  test.each([
    ['2026-06-01T12:00:00.000Z', RECEIVED],
    ['2026-06-01T12:00:00Z', RECEIVED],
    ['2026-06-01T14:00:00+02:00', RECEIVED],
    ['2026-06-01T14:00:00+0200', RECEIVED],
    ['2026-06-01T12:00:00.000000Z', RECEIVED],
    ['2026-06-01T12:00:00', RECEIVED],
    ['2026-06-01 12:00:00', RECEIVED],
    ['2026-06-01 12:00', RECEIVED],
    ['2026-06-01', RECEIVED - DAY / 2],
    ['Mon, 01 Jun 2026 12:00:00 GMT', RECEIVED],
    ['Mon Jun 01 2026 14:00:00 GMT+0200 (Central European Summer Time)', RECEIVED],
    [RECEIVED, RECEIVED],
    [RECEIVED / 1000, RECEIVED],
  ])('%j is an instant', (value, ms) => {
    expect(readInstant(value)).toBe(ms)
  })

  test.each([
    undefined,
    null,
    '',
    'soon',
    '2026',
    '1/6/2026',
    'Jun 1 2026',
    '2026-13-01T00:00:00Z',
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    {},
    [],
    true,
    'x'.repeat(100_000),
  ])('%j is none', value => {
    expect(readInstant(value)).toBeUndefined()
  })
})

describe('correctTime', () => {
  test('shifts by how wrong the clock of the client is', () => {
    const times = { timestamp: iso(RECEIVED - 3_660_000), sentAt: [iso(RECEIVED - 3_600_000)] }
    expect(correctTime(times, RECEIVED)).toBe(RECEIVED - 60_000)
  })

  test('keeps what RudderStack’s server clients backdate', () => {
    const times = {
      timestamp: '2026-01-01T00:00:00Z',
      originalTimestamp: iso(RECEIVED),
      sentAt: [iso(RECEIVED - 500)],
      isServer: true,
    }
    expect(correctTime(times, RECEIVED)).toBe(Date.UTC(2026, 0, 1))
  })

  test('takes the later sentAt', () => {
    expect(
      correctTime({ timestamp: iso(RECEIVED), sentAt: [iso(RECEIVED - 9_000), iso(RECEIVED - 1_000)] }, RECEIVED),
    ).toBe(RECEIVED + 1_000)
  })

  test('takes the delay of a server’s repetition for no skew, but a wrong clock for one', () => {
    const sent = (ago: number) => ({ timestamp: iso(RECEIVED - DAY), sentAt: [iso(RECEIVED - ago)], isServer: true })
    expect(correctTime(sent(59_000), RECEIVED)).toBe(RECEIVED - DAY)
    expect(correctTime(sent(3_600_000), RECEIVED)).toBe(RECEIVED - DAY + 3_600_000)
  })

  test('is always between 1990 and a day from now, and a fixed point without a clock to correct', () => {
    const any = fc.oneof(
      fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
      fc.double(),
      fc.string(),
      fc.constant(undefined),
    )
    fc.assert(
      fc.property(
        any,
        any,
        fc.array(any, { maxLength: 2 }),
        fc.boolean(),
        (timestamp, originalTimestamp, sentAt, isServer) => {
          const ms = correctTime({ timestamp, originalTimestamp, sentAt, isServer }, RECEIVED)
          expect(ms).toBeGreaterThanOrEqual(EVENT_TIME_MIN_MS)
          expect(ms).toBeLessThanOrEqual(RECEIVED + DAY)
          expect(correctTime({ timestamp: iso(ms) }, RECEIVED)).toBe(ms)
        },
      ),
    )
  })
})
