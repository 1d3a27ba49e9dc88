/**
 * In: what a client wants to tell and when it truly happened. Out: the call as that client would send it, with its ids
 * and clocks, and when it arrives: late, twice, or with the wrong time where a fault strikes.
 */
import type { EventType } from '../spec/event.ts'
import type { JsonObject } from '../spec/json.ts'
import type { ArrivalQueue } from './arrival-queue.ts'
import { drawDelivery } from './faults.ts'
import { CALLS_PER_EPISODE_MAX, sealCall } from './message-id.ts'
import { purposes, Stream } from './random.ts'
import type { World } from './world.ts'

export const sources = [
  'website',
  'shop',
  'mobile-app',
  'email',
  'call-centre',
  'help-desk',
  'social',
  'point-of-sale',
  'crm',
] as const
/** Where a call comes from. Nothing comes from `crm` yet: its place is kept for the sales team's own records. */
export type SimulatedSource = (typeof sources)[number]

/** A call of the Segment spec as its client sends it. */
export interface SegmentCall {
  type: EventType
  messageId: string
  userId?: string
  anonymousId?: string
  groupId?: string
  previousId?: string
  event?: string
  name?: string
  properties?: JsonObject
  traits?: JsonObject
  context: JsonObject
  /** The client's own clock when it happened, ISO-8601. */
  timestamp: string
  /** The client's own clock when it was sent, ISO-8601. */
  sentAt: string
}

/**
 * One arrival. A duplicate is the same call once more, with the same messageId. Read only: calls share parts of their
 * contexts with each other.
 */
export interface SimulatedCall {
  source: SimulatedSource
  /** When the server gets it, ms of true time. */
  receivedAt: number
  call: SegmentCall
}

/** What a call says, before ids and clocks. */
export type Body = Omit<SegmentCall, 'messageId' | 'timestamp' | 'sentAt'>

export interface Clock {
  /** The client's clock minus true time, ms. */
  skewMs: number
  /** Nothing leaves the client before this instant: it was offline. */
  heldUntil: number
}

const exactClock: Clock = { skewMs: 0, heldUntil: 0 }

/** Sends the calls of one episode: numbers them, seals their ids, and hands each to the queue at its time of arrival. */
export class Sender {
  readonly #world: World
  readonly #queue: ArrivalQueue
  readonly #person: number
  readonly #faults: Stream
  #serial: number
  readonly #last: number

  constructor(world: World, queue: ArrivalQueue, person: number, episode: number) {
    this.#world = world
    this.#queue = queue
    this.#person = person
    this.#faults = new Stream(world.key, purposes.fault, person, episode)
    this.#serial = episode * CALLS_PER_EPISODE_MAX
    this.#last = this.#serial + CALLS_PER_EPISODE_MAX - 1
  }

  /** `at` is the true instant, ms. */
  send(source: SimulatedSource, at: number, body: Body, clock: Clock = exactClock): void {
    if (this.#serial > this.#last) return
    const happenedAt = Math.floor(at)
    const delivery = drawDelivery(this.#faults, source, happenedAt, clock)
    const madeAt = happenedAt + clock.skewMs
    const uuid = sealCall(this.#world.key, this.#person, this.#serial)
    const call: SegmentCall = {
      ...body,
      messageId: messageIdOf(source, madeAt, uuid),
      timestamp: new Date(madeAt).toISOString(),
      sentAt: new Date(delivery.sentAt + clock.skewMs).toISOString(),
    }
    this.#queue.push({ source, receivedAt: delivery.receivedAt, call }, this.#person, this.#serial)
    if (delivery.repeatedAt !== null) {
      this.#queue.push({ source, receivedAt: delivery.repeatedAt, call }, this.#person, this.#serial)
    }
    this.#serial += 1
  }
}

/** The formats that the real clients use (analytics.js, analytics-node; a bare UUID elsewhere). */
const messageIdOf = (source: SimulatedSource, madeAt: number, uuid: string): string => {
  if (source === 'website') return `ajs-next-${madeAt}-${uuid}`
  return source === 'shop' ? `node-next-${madeAt}-${uuid}` : uuid
}

export const serverLibrary: JsonObject = { name: '@segment/analytics-node', version: '3.1.0' }
export const browserLibrary: JsonObject = { name: 'analytics.js', version: 'npm:next-1.84.3' }

/** What the networks call a person, as the webhook presets name it. */
export const socialNamespaces = { instagram: 'instagram_scoped_id', facebook: 'facebook_psid' } as const

/** One entry of `context.externalIds`. */
export const externalId = (type: string, id: string): JsonObject => ({
  id,
  type,
  collection: 'users',
  encoding: 'none',
})
