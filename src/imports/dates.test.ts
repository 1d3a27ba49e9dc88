import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileDateFormat, faultOfDateFormat, toInstant, toIsoDate } from './dates.ts'

function read(format: string, text: string, zone = 'UTC'): string | undefined {
  const parts = compileDateFormat(format)(text)
  return parts && toInstant(parts, zone)
}

describe('a date', () => {
  test.each([
    ['iso', '2025-04-03', '2025-04-03T00:00:00.000Z'],
    ['iso', '2025-04-03 18:20', '2025-04-03T18:20:00.000Z'],
    ['iso', '2025-04-03T18:20:05.1234Z', '2025-04-03T18:20:05.123Z'],
    ['iso', '2025-04-03T18:20:05+02:00', '2025-04-03T16:20:05.000Z'],
    ['iso', '2025-04-03T18:20:05-0730', '2025-04-04T01:50:05.000Z'],
    ['d-MMM-yyyy', '1-Jan-2015', '2015-01-01T00:00:00.000Z'],
    ['d-MMM-yyyy', '21-SEP-2001', '2001-09-21T00:00:00.000Z'],
    ['MM-dd-yyyy', '01-03-1930', '1930-01-03T00:00:00.000Z'],
    ['M/d/yyyy', '5/27/1930', '1930-05-27T00:00:00.000Z'],
    ['dd.MM.yy', '31.12.69', '2069-12-31T00:00:00.000Z'],
    ['dd.MM.yy', '31.12.70', '1970-12-31T00:00:00.000Z'],
    ['yyyyMMdd', '19970101', '1997-01-01T00:00:00.000Z'],
    ['MMMM d, yyyy', 'March 7, 2024', '2024-03-07T00:00:00.000Z'],
    ['M/d/yyyy h:mm a', '1/2/2024 12:05 AM', '2024-01-02T00:05:00.000Z'],
    ['M/d/yyyy h:mm a', '1/2/2024 12:05 pm', '2024-01-02T12:05:00.000Z'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSSSS", '2024-01-02T03:04:05.678901', '2024-01-02T03:04:05.678Z'],
    ['EEE, d MMM yyyy HH:mm:ss X', 'Fri, 5 Jan 2024 10:00:00 +0100', '2024-01-05T09:00:00.000Z'],
    ['epoch-seconds', '1700000000.5', '2023-11-14T22:13:20.500Z'],
    ['epoch-milliseconds', '1700000000500', '2023-11-14T22:13:20.500Z'],
    ['d/M/yyyy', '1/1/0099', '0099-01-01T00:00:00.000Z'],
  ])('as %s reads %s', (format, text, expected) => {
    expect(read(format, text)).toBe(expected)
  })

  test.each([
    ['iso', '2025-02-29'],
    ['iso', '2025-4-3'],
    ['iso', '03.04.2025'],
    ['d/M/yyyy', '31/4/2025'],
    ['d/M/yyyy', '1/13/2025'],
    ['MM-dd-yyyy', '1-3-1930'],
    ['d-MMM-yyyy', '1-Foo-2015'],
    ['yyyy-MM-dd HH:mm', '2025-01-01 24:00'],
    ['M/d/yyyy h:mm a', '1/2/2024 13:05 AM'],
    ['epoch-seconds', 'soon'],
    ['iso', ''],
  ])('as %s refuses %s', (format, text) => {
    expect(read(format, text)).toBeUndefined()
  })

  test('keeps the day that the text shows, whatever the zone', () => {
    const parts = compileDateFormat('iso')('2025-04-03T23:30:00-08:00')
    expect(parts && toIsoDate(parts)).toBe('2025-04-03')
  })

  test('of a summer time is read in it', () => {
    expect(read('iso', '2025-07-01 12:00', 'Europe/Stockholm')).toBe('2025-07-01T10:00:00.000Z')
    expect(read('iso', '2025-01-01 12:00', 'Europe/Stockholm')).toBe('2025-01-01T11:00:00.000Z')
    expect(read('iso', '2025-07-01 12:00', 'America/New_York')).toBe('2025-07-01T16:00:00.000Z')
    expect(read('iso', '2025-07-01 12:00', 'Asia/Kolkata')).toBe('2025-07-01T06:30:00.000Z')
  })

  test('in the hour that autumn repeats is the first, and in the hour that spring leaves out goes by the old clock', () => {
    expect(read('iso', '2025-10-26 02:30', 'Europe/Stockholm')).toBe('2025-10-26T00:30:00.000Z')
    expect(read('iso', '2025-03-30 02:30', 'Europe/Stockholm')).toBe('2025-03-30T01:30:00.000Z')
    expect(read('iso', '2025-11-02 01:30', 'America/New_York')).toBe('2025-11-02T05:30:00.000Z')
  })

  test('of any instant and zone comes back from its own wall clock, but for the hour that is repeated', () => {
    const zones = fc.constantFrom('Europe/Stockholm', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC')
    const instant = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2037, 0) })
    fc.assert(
      fc.property(instant, zones, (time, zone) => {
        const wall = new Intl.DateTimeFormat('sv-SE', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'medium',
        }).format(time)
        const back = Date.parse(read('iso', wall, zone) ?? '')
        const whole = Math.floor(time / 1000) * 1000
        expect([0, -3_600_000, -1_800_000]).toContain(back - whole)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a date format', () => {
  test.each(['iso', 'epoch-seconds', 'd-MMM-yyyy', 'M/d/yyyy h:mm a', "yyyy-MM-dd'T'HH:mm:ssX"])(
    '%s is known',
    format => {
      expect(faultOfDateFormat(format)).toBeUndefined()
    },
  )

  test.each([
    ['DD/MM/YYYY', /means nothing/],
    ['MM/yyyy', /no day/],
    ['dd/MM', /no year/],
    ['d/M/yyyy h:mm', /go together/],
    ['yyyy-MM-dd QQ', /means nothing/],
  ])('%s is refused with a reason', (format, reason) => {
    expect(faultOfDateFormat(format)).toMatch(reason)
  })
})
