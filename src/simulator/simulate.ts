/**
 * In: options. Out: every call of every person, as an endless-looking stream in order of arrival.
 *
 * Memory is flat: 16 bytes per person for when their next episode begins, the lives of a bounded number of people, and
 * the calls that are under way. A life that was dropped is planned again when it is needed: planning is a pure function.
 */
import { ArrivalQueue, LifeQueue } from './arrival-queue.ts'
import { Sender, type SimulatedCall } from './calls.ts'
import {
  renderAlias,
  renderCall,
  renderComment,
  renderJob,
  renderListed,
  renderMail,
  renderRefund,
  renderTicket,
} from './contact-channels.ts'
import { LifeCache } from './life-cache.ts'
import { PERSONLESS } from './message-id.ts'
import { firstContact } from './people.ts'
import type { Episode, Life } from './plan.ts'
import { DAY_MS } from './planted.ts'
import { purposes, Stream } from './random.ts'
import { productBody, receiptBody } from './shop-calls.ts'
import { renderKiosk, renderVisit } from './visits.ts'
import { createWorld, type SimulationOptions, type World } from './world.ts'

const NOT_PLANNED = -1
const BETWEEN_PRODUCTS_MS = 40
const AHEAD_MS = 4 * DAY_MS
/** Calls under way, about 1 kB each, up to which lives are rendered ahead. */
const AHEAD_CALLS_MAX = 60_000

const render = (world: World, life: Life, episode: Episode, sender: Sender, stream: Stream): void => {
  switch (episode.kind) {
    case 'visit':
      renderVisit(world, life, episode, sender, stream)
      break
    case 'kiosk':
      renderKiosk(world, life, episode, sender, stream)
      break
    case 'receipt':
      sender.send('point-of-sale', episode.at, receiptBody(life.person, episode))
      break
    case 'refund':
      renderRefund(life, episode, sender)
      break
    case 'mail':
      renderMail(life, episode, sender)
      break
    case 'listed':
      renderListed(life, episode, sender)
      break
    case 'call':
      renderCall(life, episode, sender, stream)
      break
    case 'ticket':
      renderTicket(life, episode, sender, stream)
      break
    case 'comment':
      renderComment(life, episode, sender, stream)
      break
    case 'alias':
      renderAlias(life, episode, sender)
      break
    case 'job':
      renderJob(life, episode, sender)
  }
}

/** Every product as it stands on the first day, then each launch and each change of price or cost. */
const sendCatalogue = (world: World, queue: ArrivalQueue): void => {
  for (const product of world.catalogue.products) {
    const sender = new Sender(world, queue, PERSONLESS, product.index)
    const lastBefore = product.prices.findLast(price => price.at <= world.startAt)
    if (lastBefore)
      sender.send('shop', world.startAt + product.index * BETWEEN_PRODUCTS_MS, productBody(product, lastBefore))
    for (const price of product.prices) {
      if (price.at > world.startAt) sender.send('shop', price.at, productBody(product, price))
    }
  }
}

/**
 * Renders the episode that is due and those that follow within AHEAD_MS, while few calls are under way, and schedules the
 * next. Rendering ahead changes nothing but how often a life must be planned again; the queue puts calls in order.
 */
const live = (world: World, life: Life, due: number, queues: { calls: ArrivalQueue; lives: LifeQueue }): void => {
  const { calls, lives } = queues
  const person = life.person.index
  const until = (life.episodes[due]?.at ?? Number.NEGATIVE_INFINITY) + AHEAD_MS
  for (let number = Math.max(due, 0); ; number += 1) {
    const episode = life.episodes[number]
    if (!episode) return
    const isDue = number === due
    if (!isDue && (episode.at >= until || calls.size >= AHEAD_CALLS_MAX)) {
      lives.push(episode.at, person, number)
      return
    }
    const sender = new Sender(world, calls, person, number)
    render(world, life, episode, sender, new Stream(world.key, purposes.render, person, number))
  }
}

/**
 * Runs a simulation. Calls come in order of `receivedAt` (ties by person, then by number of the call). The same options
 * give the same bytes on every machine; the calls of the first n people do not depend on how many more there are (given
 * the same `companies`). Throws RangeError for options outside their limits.
 */
export function* simulate(options: SimulationOptions): Generator<SimulatedCall, void, void> {
  const world = createWorld(options)
  const calls = new ArrivalQueue()
  const lives = new LifeQueue(world.people)
  const queues = { calls, lives }
  const cache = new LifeCache(world)
  sendCatalogue(world, calls)
  for (let person = 0; person < world.people; person += 1) {
    lives.push(Math.max(world.startAt, firstContact(world, person).joinAt), person, NOT_PLANNED)
  }
  for (;;) {
    // No call arrives before its episode begins, so whatever arrives before the next episode is final.
    const nextEpisodeAt = lives.nextAt
    while (calls.nextAt < nextEpisodeAt) {
      const arrival = calls.pop()
      if (!arrival || arrival.receivedAt >= world.endAt) return
      yield arrival
    }
    const due = lives.pop()
    if (!due || nextEpisodeAt >= world.endAt) break
    live(world, cache.life(due.person), due.episode, queues)
  }
  for (let arrival = calls.pop(); arrival && arrival.receivedAt < world.endAt; arrival = calls.pop()) yield arrival
}
