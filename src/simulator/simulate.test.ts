import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { SimulatedCall } from './calls.ts'
import { simulate, truth } from './index.ts'
import { planLife } from './life.ts'
import { SIMULATOR_VERSION } from './planted.ts'
import { createWorld, type SimulationOptions } from './world.ts'

const startAt = Date.UTC(2025, 2, 3)
const small: SimulationOptions = { seed: 42, people: 60, startAt, days: 120 }

const lines = (calls: Iterable<SimulatedCall>): string[] => Array.from(calls, call => JSON.stringify(call))
const digest = (options: SimulationOptions): string => {
  const hash = createHash('sha256')
  for (const call of simulate(options)) hash.update(JSON.stringify(call))
  return hash.digest('hex')
}

describe('a simulation', () => {
  test('gives the same bytes for the same seed and others for another', () => {
    expect(digest(small)).toBe(digest({ ...small }))
    expect(digest({ ...small, seed: 43 })).not.toBe(digest(small))
  })

  // Whoever changes this digest changes every seed's output: raise SIMULATOR_VERSION with it.
  test('of this version gives these very bytes', () => {
    expect(`${SIMULATOR_VERSION} ${digest(small)}`).toBe(
      '1 75669d1f6ef23a68a4d162b98316e6f2ef26387c7860ccae8ac3f8db69684239',
    )
  })

  test('keeps everybody’s calls, in their order, when people are added', () => {
    const { personOf } = truth({ ...small, people: 200 })
    const more = Array.from(simulate({ ...small, people: 200 })).filter(
      ({ call }) => (personOf(call.messageId) ?? -1) < small.people,
    )
    expect(more.length).toBeGreaterThan(500)
    expect(lines(more)).toEqual(lines(simulate(small)))
  })

  test('keeps the calls of people under a fixed number of companies as well', () => {
    const options = { ...small, companies: 4 }
    const { personOf } = truth({ ...options, people: 130 })
    const more = Array.from(simulate({ ...options, people: 130 })).filter(
      ({ call }) => (personOf(call.messageId) ?? -1) < small.people,
    )
    expect(lines(more)).toEqual(lines(simulate(options)))
  })

  test('cut short by endAt is the beginning of the whole', () => {
    const whole = lines(simulate(small))
    const endAt = startAt + 50 * 86_400_000
    const part = lines(simulate({ ...small, endAt }))
    expect(part.length).toBeGreaterThan(100)
    expect(part.length).toBeLessThan(whole.length)
    expect(whole.slice(0, part.length)).toEqual(part)
    expect(JSON.parse(part.at(-1) ?? '').receivedAt).toBeLessThan(endAt)
    expect(JSON.parse(whole[part.length] ?? '').receivedAt).toBeGreaterThanOrEqual(endAt)
  })

  test('arrives in order, never before the first day, and repeats a call at most once and unchanged', () => {
    let last = startAt
    const seen = new Map<string, string[]>()
    for (const { receivedAt, call } of simulate({ ...small, people: 400 })) {
      expect(receivedAt).toBeGreaterThanOrEqual(last)
      expect(Number.isSafeInteger(receivedAt)).toBe(true)
      last = receivedAt
      const before = seen.get(call.messageId) ?? []
      seen.set(call.messageId, [...before, JSON.stringify(call)])
    }
    const repeated = [...seen.values()].filter(copies => copies.length > 1)
    expect(repeated.length).toBeGreaterThan(50)
    for (const copies of repeated) {
      expect(copies).toHaveLength(2)
      expect(copies[1]).toBe(copies[0])
    }
  })

  test('sends nothing but what survives JSON, with clocks in ISO-8601 and short message ids', () => {
    for (const { call } of simulate(small)) {
      expect(JSON.parse(JSON.stringify(call))).toEqual(call)
      expect(call.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(call.sentAt >= call.timestamp).toBe(true)
      expect(call.messageId.length).toBeLessThanOrEqual(100)
      expect(JSON.stringify(call).length).toBeLessThan(32 * 1024)
    }
  })

  test('of nobody is the catalogue alone', () => {
    const calls = Array.from(simulate({ ...small, people: 0 }))
    expect(new Set(calls.map(({ call }) => call.event))).toEqual(new Set(['Product Updated']))
    for (const { call } of calls) expect([call.userId, call.anonymousId]).toEqual([undefined, undefined])
    expect(new Set(calls.map(({ call }) => call.properties?.product_id)).size).toBe(80)
  })

  test('browses more with more intensity, and buys as before', () => {
    const count = (intensity: number) => {
      let pages = 0
      for (const { call } of simulate({ ...small, people: 300, intensity })) if (call.type === 'page') pages += 1
      const { ordersByCause } = truth({ ...small, people: 300, intensity }).totals()
      return { pages, own: ordersByCause.own }
    }
    const [usual, triple] = [count(1), count(3)]
    expect(triple.own).toBe(usual.own)
    expect(triple.pages).toBeGreaterThan(1.4 * usual.pages)
  })

  test('names the option that is out of its limits', () => {
    const start = (change: Partial<SimulationOptions>) => () => simulate({ ...small, ...change }).next()
    expect(start({ people: -1 })).toThrow(/people must be a whole number/)
    expect(start({ people: 5_000_000 })).toThrow(/people/)
    expect(start({ seed: 0.5 })).toThrow(/seed/)
    expect(start({ days: 0 })).toThrow(/days/)
    expect(start({ startAt: Number.NaN })).toThrow(/startAt/)
    expect(start({ companies: -3 })).toThrow(/companies/)
    expect(start({ intensity: Number.NaN })).toThrow(/intensity/)
  })

  // The goal is 100,000 a second on an idle core (see docs/reference/simulator.md); this only catches a collapse.
  test('makes at least 20,000 calls a second', () => {
    const begun = performance.now()
    let calls = 0
    for (const _ of simulate({ seed: 3, people: 1500, startAt, days: 180 })) calls += 1
    expect(calls).toBeGreaterThan(40_000)
    expect(calls / (performance.now() - begun)).toBeGreaterThan(20)
  })
})

describe('a life', () => {
  test('is the same whenever it is planned, so that forgetting it costs nothing but time', () => {
    const world = createWorld({ ...small, people: 1000 })
    for (let person = 0; person < 200; person += 1) {
      expect(JSON.stringify(planLife(world, person))).toBe(JSON.stringify(planLife(world, person)))
    }
  })

  test('has its episodes by time, within the simulated days and after the first contact', () => {
    const world = createWorld({ ...small, people: 1000 })
    for (let person = 0; person < 500; person += 1) {
      const life = planLife(world, person)
      let last = Math.max(startAt, life.person.joinAt)
      for (const episode of life.episodes) {
        expect(episode.at).toBeGreaterThanOrEqual(last)
        last = episode.at
        expect(episode.at).toBeLessThan(world.horizonAt)
      }
    }
  })
})
