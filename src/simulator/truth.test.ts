import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../spec/json.ts'
import type { SimulatedCall } from './calls.ts'
import { simulate, truth } from './index.ts'
import { type IdentifierTruth, junkIdentifiers } from './true-identifiers.ts'
import type { PersonTruth } from './truth.ts'

const options = { seed: 9, people: 1200, startAt: Date.UTC(2025, 0, 6), days: 300 }
const MINUTE_MS = 60_000

interface Told {
  namespace: string
  value: string
}

/** Calls that repeat what an earlier one said: the card that paid, the address that wrote. */
const answers = new Set(['Order Refunded', 'Ticket Solved', 'Ticket Rated'])

/** Every identifier that a call carries, normalised as the identity rules would. */
const identifiersIn = ({ call }: SimulatedCall): Told[] => {
  const told: Told[] = []
  const tell = (namespace: string, value: unknown): void => {
    if (typeof value === 'string' && value !== '') told.push({ namespace, value })
  }
  const contextTraits = (call.context.traits ?? {}) as JsonObject
  tell('user_id', call.userId)
  tell('user_id', call.previousId)
  tell('anonymous_id', call.anonymousId)
  for (const email of [call.traits?.email, contextTraits.email, call.properties?.email]) {
    if (typeof email === 'string') tell('email', email.toLowerCase())
  }
  // A group call's traits are the company's.
  const phones = [call.type === 'group' ? null : call.traits?.phone, contextTraits.phone]
  for (const phone of phones) if (typeof phone === 'string') tell('phone', phone.replaceAll(' ', ''))
  for (const external of (call.context.externalIds ?? []) as JsonObject[]) {
    const value = String(external.id)
    if (external.type === 'email') tell('email', value.toLowerCase())
    else tell(String(external.type), external.type === 'phone' ? value.replaceAll(' ', '') : value)
  }
  const device = (call.context.device ?? {}) as JsonObject
  tell(`${String(device.type)}.id`, device.id)
  tell(`${String(device.type)}.idfa`, device.advertisingId)
  return told
}

const isJunk = (told: Told): boolean =>
  junkIdentifiers.some(junk => junk.namespace === told.namespace && junk.value === told.value)

const calls: SimulatedCall[] = []
const people: PersonTruth[] = []
const known = truth(options)

beforeAll(() => {
  for (const arrival of simulate(options)) calls.push(arrival)
  people.push(...known.people())
})

/** True time: the client's clock put right, within the time on the network. */
const correctedAt = ({ call, receivedAt }: SimulatedCall): number =>
  Date.parse(call.timestamp) + receivedAt - Date.parse(call.sentAt)

describe('truth', () => {
  test('knows the person behind every call, and nobody behind the catalogue', () => {
    for (const { call } of calls) {
      const person = known.personOf(call.messageId)
      if (call.event === 'Product Updated') expect(person).toBeNull()
      else expect(person).toBeLessThan(options.people)
      expect(known.callOf(call.messageId)?.person).toBe(person)
    }
    expect(known.personOf('ajs-next-1-7c0e52d9-1111-4222-8333-a841a841a841')).toBeUndefined()
    expect(known.callOf('nonsense')).toBeUndefined()
    expect(truth({ ...options, seed: 10 }).personOf(calls[500]?.call.messageId ?? '')).toBeUndefined()
  })

  test('owns every identifier that a call carries, at the time of the call, but for the junk', () => {
    let checked = 0
    let junk = 0
    for (const arrival of calls) {
      const person = known.personOf(arrival.call.messageId)
      if (person === null || person === undefined) continue
      const skews = people[person]?.devices.map(device => Math.abs(device.skewMs)) ?? []
      const dead = skews.some(skew => skew > 1e11)
      for (const told of identifiersIn(arrival)) {
        if (isJunk(told)) {
          junk += 1
          continue
        }
        const mine = people[person]?.identifiers.filter(
          candidate => candidate.namespace === told.namespace && candidate.value === told.value,
        )
        expect([told, mine?.length], JSON.stringify(arrival)).toEqual([told, 1])
        const [owned] = mine as [IdentifierTruth]
        const at = correctedAt(arrival)
        // A visit keeps the cookie and the job with which it began; a repeat shifts the corrected time by its delay.
        const visitMs = 3 * 60 * MINUTE_MS
        if (owned.from !== null) expect(at).toBeGreaterThanOrEqual(owned.from - MINUTE_MS)
        if (owned.to !== null && !dead && !answers.has(arrival.call.event ?? ''))
          expect(Date.parse(arrival.call.timestamp)).toBeLessThan(owned.to + visitMs + Math.max(0, ...skews))
        checked += 1
      }
    }
    expect(checked).toBeGreaterThan(50_000)
    expect(junk).toBeGreaterThan(10)
  })

  test('gives an identifier that is shared with nobody to one person only', () => {
    const owners = new Map<string, number>()
    for (const person of people) {
      for (const { namespace, value, sharedWith } of person.identifiers) {
        const name = `${namespace}:${value}`
        if (sharedWith === 'nobody') expect([name, owners.get(name) ?? person.person]).toEqual([name, person.person])
        owners.set(name, person.person)
      }
    }
  })

  test('tells true time: a call’s corrected time is off by the network alone, whatever the device’s clock', () => {
    const seen = new Set<string>()
    let skewed = 0
    for (const arrival of calls) {
      if (seen.has(arrival.call.messageId)) continue
      seen.add(arrival.call.messageId)
      const origin = known.callOf(arrival.call.messageId)
      if (!origin || origin.at === null || origin.person === null) continue
      // An episode lasts hours at most.
      expect(correctedAt(arrival)).toBeGreaterThanOrEqual(origin.at - 1)
      expect(correctedAt(arrival)).toBeLessThan(origin.at + 12 * 60 * MINUTE_MS)
      if (Math.abs(Date.parse(arrival.call.timestamp) - correctedAt(arrival)) > MINUTE_MS) skewed += 1
    }
    expect(skewed).toBeGreaterThan(100)
  })

  test('says which orders no system can know, and only those carry no identifier', () => {
    const identifiable = new Map(people.flatMap(person => person.orders.map(order => [order.orderId, order])))
    let hidden = 0
    for (const arrival of calls) {
      if (arrival.call.event !== 'Order Completed') continue
      const order = identifiable.get(String(arrival.call.properties?.order_id))
      const told = identifiersIn(arrival).filter(one => !isJunk(one))
      expect(told.length > 0).toBe(order?.isIdentifiable)
      if (!order?.isIdentifiable) hidden += 1
    }
    expect(hidden).toBeGreaterThan(5)
  })

  test('counts in totals what it says of each person', () => {
    const totals = known.totals()
    const orders = people.flatMap(person => person.orders)
    expect(totals.people).toBe(options.people)
    expect(totals.orders).toBe(orders.length)
    expect(totals.profitMinor).toBe(orders.reduce((sum, order) => sum + order.profitMinor, 0))
    expect(Object.values(totals.ordersByCause).reduce((sum, count) => sum + count, 0)).toBe(orders.length)
    const caused = people.flatMap(person => [...person.touches, ...person.treatments]).filter(one => one.caused).length
    expect(orders.filter(order => order.cause.kind !== 'own').length).toBe(caused)
  })

  test('refuses people who do not exist', () => {
    expect(() => known.person(options.people)).toThrow(RangeError)
    expect(() => known.person(-1)).toThrow(RangeError)
  })
})
