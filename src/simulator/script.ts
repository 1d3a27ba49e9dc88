/**
 * In: the pages somebody opens and what they do there. Out: the calls of one visit in order, with the time between them,
 * played from a beginning and, for an order, so that a chosen step falls on an exact instant.
 */
import type { JsonObject } from '../spec/json.ts'
import type { Body, Clock, Sender, SimulatedSource } from './calls.ts'
import { SHOP_URL } from './catalogue.ts'
import type { Stream } from './random.ts'

export interface Spot {
  /** With its query string, if it has one. */
  path: string
  title: string
}

interface Step {
  /** Since the step before, ms; stretched when the script is anchored. */
  waitMs: number
  source: SimulatedSource
  body: Body
}

export interface Visitor {
  source: 'website' | 'mobile-app'
  anonymousId: string
  userId: string | null
  /** What the client says about itself on every call; pages are added to it. */
  context: JsonObject
}

/** Reading a page: median and spread; the rest of a page's calls follow within moments. */
const READING_MS = 22_000
const READING_SIGMA = 0.9
const READING_MS_MAX = 25 * 60_000
const MOMENT_MS = { from: 150, to: 2_500 }

export class Script {
  readonly steps: Step[] = []
  readonly visitor: Visitor
  readonly #stream: Stream
  #context: JsonObject
  #referrer: string
  #path = ''

  constructor(visitor: Visitor, stream: Stream, referrer: string) {
    this.visitor = visitor
    this.#stream = stream
    this.#referrer = referrer
    this.#context = visitor.context
  }

  /** Whether this is the page that is open, tags aside. */
  isAt(spot: Spot): boolean {
    return this.#path === spot.path
  }

  /** A page, or a screen in the app. `campaign` is what the client reads from the address. */
  open(spot: Spot, campaign?: JsonObject): void {
    const reading = this.#stream.logNormal(READING_MS, READING_SIGMA)
    const waitMs = this.steps.length === 0 ? 0 : Math.min(reading, READING_MS_MAX)
    const cut = spot.path.indexOf('?')
    this.#path = cut < 0 ? spot.path : spot.path.slice(0, cut)
    if (this.visitor.source === 'mobile-app') {
      this.#context = campaign ? { ...this.visitor.context, campaign } : this.visitor.context
      const properties = { path: spot.path, title: spot.title }
      this.#add(waitMs, { type: 'screen', name: spot.title, properties })
      return
    }
    const page = {
      path: this.#path,
      referrer: this.#referrer,
      search: cut < 0 ? '' : spot.path.slice(cut),
      title: spot.title,
      url: SHOP_URL + spot.path,
    }
    this.#referrer = page.url
    this.#context = campaign ? { ...this.visitor.context, page, campaign } : { ...this.visitor.context, page }
    this.#add(waitMs, { type: 'page', properties: page })
  }

  track(event: string, properties: JsonObject): void {
    this.#add(this.#moment(), { type: 'track', event, properties })
  }

  /** From now on the client knows the user. */
  identify(userId: string | null, traits: JsonObject, externalIds: JsonObject[] = []): void {
    if (userId !== null) this.visitor.userId = userId
    const context = externalIds.length > 0 ? { ...this.#context, externalIds } : this.#context
    this.#add(this.#moment(), { type: 'identify', traits, context })
  }

  group(groupId: string, traits: JsonObject): void {
    this.#add(this.#moment(), { type: 'group', groupId, traits })
  }

  /** Signing out: the shop's page keeps the anonymous id, as many do. */
  signOut(): void {
    this.track('Signed Out', {})
    this.visitor.userId = null
  }

  /** A call from another source at this point of the visit. */
  aside(source: SimulatedSource, body: Body, waitMs = this.#moment()): void {
    this.steps.push({ waitMs, source, body })
  }

  /** Sends every step. With `anchor`, waits are stretched so that step number `anchor.step` happens at `anchor.at`. */
  play(sender: Sender, startAt: number, clock: Clock, anchor?: { step: number; at: number }): void {
    const natural = this.steps.slice(1, (anchor?.step ?? 0) + 1).reduce((sum, step) => sum + step.waitMs, 0)
    const stretch = anchor && natural > 0 ? (anchor.at - startAt) / natural : 1
    let at = startAt
    this.steps.forEach((step, index) => {
      at += step.waitMs * (anchor && index <= anchor.step ? stretch : 1)
      if (anchor?.step === index) at = anchor.at
      const isClient = step.source === this.visitor.source
      sender.send(step.source, Math.floor(at), step.body, isClient ? clock : undefined)
    })
  }

  #moment(): number {
    return this.#stream.between(MOMENT_MS.from, MOMENT_MS.to)
  }

  #add(waitMs: number, call: Omit<Body, 'context'> & { context?: JsonObject }): void {
    const { userId, anonymousId, source } = this.visitor
    const body: Body = { context: this.#context, ...call, anonymousId }
    if (userId !== null) body.userId = userId
    this.steps.push({ waitMs, source, body })
  }
}
