/**
 * In: a world and the index of a person. Out: that person's whole life with the shop, as episodes by time. A function of
 * seed, options and index alone, so that it can be forgotten and planned again at any time: that is what keeps the
 * simulation's memory flat.
 */
import { followOrder, planAsides } from './aftermath.ts'
import { planBrowsing } from './browsing.ts'
import { describeDevices, kioskAnonymousId } from './devices.ts'
import { ownIntents, placeOrders } from './intents.ts'
import { EPISODES_MAX } from './message-id.ts'
import { mailAddress, planMail, planSalesCalls } from './outreach.ts'
import { describePerson } from './people.ts'
import type { Episode, Life, VisitDraft } from './plan.ts'
import { planPurchases } from './purchases.ts'
import { drawIntentions, type Intentions, walkVisits } from './sessions.ts'
import type { World } from './world.ts'

const formVisit = (intentions: Intentions): VisitDraft[] =>
  intentions.subscribesByForm && Number.isFinite(intentions.subscribedAt)
    ? [{ at: intentions.subscribedAt, purpose: 'subscribe', channel: 'direct', campaign: null, order: null }]
    : []

export const planLife = (world: World, index: number): Life => {
  const person = describePerson(world, index)
  const process = planPurchases(world, person)
  const intentions = drawIntentions(world, person, process)
  const isSimulated = (thing: { at: number }): boolean => thing.at >= world.startAt && thing.at < world.horizonAt

  const browsing = planBrowsing(world, person, process)
  const mail = planMail(world, person, process, intentions.subscribedAt)
  const calls = planSalesCalls(world, person, process)
  const intents = [
    ...ownIntents(world, person, process, mail.vouchers),
    ...browsing.intents,
    ...mail.intents,
    ...calls.intents,
  ]
  const shopping = placeOrders(world, person, intents)
  const drafts = [...browsing.visits, ...mail.visits, ...shopping.visits, ...formVisit(intentions)]
    .filter(isSimulated)
    .sort((a, b) => a.at - b.at)
  const devices = describeDevices(world, person)
  const { visits, accounts } = walkVisits(world, person, devices, { drafts, intentions })

  const episodes: Episode[] = [...visits, ...mail.episodes, ...calls.episodes, ...planAsides(world, person)]
  const firstOwn = shopping.placed.find(placed => placed.order.cause.kind === 'own')
  const subscribesWithOrder = Number.isFinite(intentions.subscribedAt) && !intentions.subscribesByForm
  for (const placed of shopping.placed) {
    episodes.push(...followOrder(world, person, placed, subscribesWithOrder && placed === firstOwn))
  }
  const aliasAt = accounts.secondAccountAt + intentions.aliasDelayMs
  if (Number.isFinite(aliasAt)) episodes.push({ kind: 'alias', at: aliasAt })
  const simulated = episodes.filter(isSimulated).sort((a, b) => a.at - b.at)
  return {
    person,
    process,
    devices,
    orders: shopping.placed.map(placed => placed.order),
    treatments: [...mail.treatments, ...calls.treatments],
    touches: browsing.touches,
    ...accounts,
    aliasAt,
    subscribedAt: intentions.subscribedAt,
    unsubscribedAt: mail.unsubscribedAt,
    mailAddress: mailAddress(world, person, intentions.subscribedAt),
    kioskAnonymousId: person.store === null ? null : kioskAnonymousId(world, person.store),
    episodes: simulated.slice(0, EPISODES_MAX),
  }
}
