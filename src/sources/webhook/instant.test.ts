import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instantOfEpoch, parseInstant } from './instant.ts'

describe('a point in time', () => {
  test.each([
    ['2026-05-13T12:00:00-04:00', '2026-05-13T16:00:00.000Z'],
    ['2026-05-13T12:00:00.123456Z', '2026-05-13T12:00:00.123Z'],
    ['2026-05-13T12:00:00.5+0530', '2026-05-13T06:30:00.500Z'],
    ['2026-05-13 12:00:00', '2026-05-13T12:00:00.000Z'],
    ['2026-05-13 12:00:00 UTC', '2026-05-13T12:00:00.000Z'],
    ['2026-05-13T12:00', '2026-05-13T12:00:00.000Z'],
    ['2026-05-13', '2026-05-13T00:00:00.000Z'],
    ['1931-02-28', '1931-02-28T00:00:00.000Z'],
    ['Tue, 31 Mar 2026 18:00:00 +0000', '2026-03-31T18:00:00.000Z'],
    ['Tue, 31 Mar 2026 18:00:00 GMT', '2026-03-31T18:00:00.000Z'],
  ])('%s is %s, whatever the zone of this machine', (text, instant) => expect(parseInstant(text)).toBe(instant))

  test.each([
    '2026-02-30',
    '2026-13-01',
    '2026-05-13T24:00:00',
    '2026-05-13T12:60:00',
    '13.05.2026',
    '05/13/2026',
    'yesterday',
    '1767261600',
    '',
    '0001-01-01',
  ])('"%s" is none', text => expect(parseInstant(text)).toBeUndefined())

  test.each([
    [1767261600, '2026-01-01T10:00:00.000Z'],
    [1767261600123, '2026-01-01T10:00:00.123Z'],
    [1767261600.5, '2026-01-01T10:00:00.500Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    [-1, undefined],
    [1e18, undefined],
  ])('the epoch number %s is %s', (epoch, instant) => expect(instantOfEpoch(epoch)).toBe(instant))

  test('what ISO-8601 writes is read back', () => {
    const dates = fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, date => {
        expect(parseInstant(date.toISOString())).toBe(date.toISOString())
      }),
    )
  })
})
