import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Buckets } from './bucket.ts'

const limits = { perSecond: 10, burst: 5, callersMax: 3 }

describe('a bucket', () => {
  it('lets a burst through, then says how long to wait', () => {
    const buckets = new Buckets(limits)
    const waits = Array.from({ length: 6 }, () => buckets.take('ada', 0))
    expect(waits).toEqual([0, 0, 0, 0, 0, 1])
  })

  it('fills up again with time, never above the burst', () => {
    const buckets = new Buckets(limits)
    for (let taken = 0; taken < 5; taken += 1) buckets.take('ada', 0)
    expect(buckets.isEmpty('ada', 99)).toBe(true)
    expect(buckets.isEmpty('ada', 100)).toBe(false)
    const later = Array.from({ length: 6 }, () => buckets.take('ada', 3_600_000))
    expect(later.filter(wait => wait === 0)).toHaveLength(5)
  })

  it('is one for each caller', () => {
    const buckets = new Buckets(limits)
    for (let taken = 0; taken < 6; taken += 1) buckets.take('ada', 0)
    expect(buckets.take('grace', 0)).toBe(0)
  })

  it('never gives more than the burst and the rate together, at any times', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000), { maxLength: 200 }), gaps => {
        const buckets = new Buckets(limits)
        let now = 0
        let given = 0
        for (const gap of gaps) {
          now += gap
          if (buckets.take('ada', now) === 0) given += 1
        }
        expect(given).toBeLessThanOrEqual(limits.burst + (now / 1000) * limits.perSecond + 1e-6)
      }),
    )
  })

  it('is forgotten, in favour of the caller, when there are too many callers', () => {
    const buckets = new Buckets(limits)
    for (let taken = 0; taken < 6; taken += 1) buckets.take('ada', 0)
    for (const caller of ['b', 'c', 'd']) buckets.take(caller, 0)
    expect(buckets.take('ada', 0)).toBe(0)
  })

  it('is not refilled by a clock that goes backwards', () => {
    const buckets = new Buckets(limits)
    for (let taken = 0; taken < 5; taken += 1) buckets.take('ada', 10_000)
    expect(buckets.isEmpty('ada', 5_000)).toBe(true)
  })
})
