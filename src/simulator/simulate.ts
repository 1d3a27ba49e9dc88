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
import { purposes, Stream } from './random.ts'
import { productBody, receiptBody } from './shop-calls.ts'
import { renderKiosk, renderVisit } from './visits.ts'
import { createWorld, type SimulationOptions, type World } from './world.ts'

const NOT_PLANNED = -1
const BETWEEN_PRODUCTS_MS = 40

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

/** The calls of one person in no particular order of arrival: what a test or a page about one person needs. */
export const simulatePerson = (world: World, life: Life): SimulatedCall[] => {
  const queue = new ArrivalQueue()
  life.episodes.forEach((episode, number) => {
    const sender = new Sender(world, queue, life.person.index, number)
    render(world, life, episode, sender, new Stream(world.key, purposes.render, life.person.index, number))
  })
  const calls: SimulatedCall[] = []
  for (let arrival = queue.pop(); arrival; arrival = queue.pop()) calls.push(arrival)
  return calls
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

const scheduleNext = (lives: LifeQueue, life: Life, episode: number): void => {
  const next = life.episodes[episode]
  if (next) lives.push(next.at, life.person.index, episode)
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
    const life = cache.life(due.person)
    const episode = life.episodes[due.episode]
    if (due.episode !== NOT_PLANNED && episode) {
      const sender = new Sender(world, calls, due.person, due.episode)
      render(world, life, episode, sender, new Stream(world.key, purposes.render, due.person, due.episode))
    }
    scheduleNext(lives, life, due.episode + 1)
  }
  for (let arrival = calls.pop(); arrival && arrival.receivedAt < world.endAt; arrival = calls.pop()) yield arrival
}
