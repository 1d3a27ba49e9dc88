/**
 * What identity costs in memory: in, a made-up shop's events; out, µs per event for extraction, for events that show
 * something new and for the common ones that do not, and what a late login on a kiosk recomputes. Run: `node bench/identity.ts`.
 */
import { IdentityInMemory } from '../src/identity/in-memory.ts'
import type { IdentityEvent } from '../src/identity/resolve-batch.ts'
import type { Event } from '../src/spec/event.ts'
import { defaultIdentityRules, extractIdentifiers } from '../src/spec/identifier.ts'

const people = 50_000
const eventCount = 300_000
const batchSize = 5_000
const kioskLogins = 5_000

/** A small generator of equal chances (Park and Miller), so that every run measures the same events. */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

function events(): Event[] {
  const chance = chances(7)
  return Array.from({ length: eventCount }, (_, index) => {
    const person = Math.floor(chance() * people)
    const isKnown = chance() < 0.6
    const device = chance() < 0.05 ? `device-${person}-${index}` : `device-${person}`
    const at = new Date(Date.UTC(2025, 0) + index * 1_000).toISOString()
    const event: Event = {
      ...{ messageId: `m${index}`, type: chance() < 0.1 ? 'identify' : 'track', source: 'web' },
      ...{ timestamp: at, receivedAt: at, anonymousId: device, properties: { price: 1 } },
    }
    const traits = { email: `person${person}@example.com` }
    return isKnown ? { ...event, userId: `person-${person}`, context: { traits } } : event
  })
}

const inputOf = ({ messageId, type, source, timestamp, ...event }: Event): IdentityEvent => ({
  ...{ messageId, type, source, at: Date.parse(timestamp) },
  identifiers: extractIdentifiers({ messageId, type, source, timestamp, ...event }, defaultIdentityRules).identifiers,
})

function measured(what: string, count: number, work: () => void): void {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  console.log(`${what}: ${((user + system) / count).toFixed(2)} µs of CPU per event`)
}

const all = events()
let inputs: IdentityEvent[] = []
measured('extract, first values', eventCount, () => {
  inputs = all.map(inputOf)
})
measured('extract, again', eventCount, () => {
  inputs = all.map(inputOf)
})
const identity = new IdentityInMemory(defaultIdentityRules)
const resolveAll = () => {
  for (let from = 0; from < eventCount; from += batchSize) identity.resolve(inputs.slice(from, from + batchSize))
}
measured('resolve from nothing', eventCount, resolveAll)
for (const round of [1, 2, 3]) measured(`resolve what is known, round ${round}`, eventCount, resolveAll)
console.log(`${identity.graph.size} nodes, ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB of heap in all`)

const kiosk = new IdentityInMemory(defaultIdentityRules)
const visit = (login: string, at: number): IdentityEvent => ({
  ...{ messageId: `k${login}`, type: 'identify', source: 'desk', at },
  identifiers: [
    { namespace: 'user_id', value: login },
    { namespace: 'anonymous_id', value: 'kiosk' },
    { namespace: 'email', value: 'desk@example.com' },
  ],
})
kiosk.resolve(Array.from({ length: kioskLogins }, (_, index) => visit(`visitor-${index}`, 1_000 + index * 10)))
const before = performance.now()
const { refusals } = kiosk.resolve([visit('late', 1_005)])
const took = (performance.now() - before).toFixed(1)
console.log(`a late login on a kiosk with ${kioskLogins}: ${took} ms, ${refusals.nodes.length} nodes solved anew`)
