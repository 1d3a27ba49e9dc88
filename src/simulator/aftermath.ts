/**
 * In: a person's orders and store habits. Out: what follows them: receipts, refunds, tickets, calls to the shop, kiosk
 * visits, comments, and what the shop's server learns about accounts and jobs.
 */
import { atSuitableHour } from './calendar.ts'
import type { PlacedOrder } from './intents.ts'
import { countries } from './name-data.ts'
import { salespersonOf } from './outreach.ts'
import { employmentAt, heldAt, type Person } from './people.ts'
import type { Episode, PhoneCall, Receipt, Ticket } from './plan.ts'
import { DAY_MS, HOUR_MS, planted } from './planted.ts'
import { purposes, Stream, scramble } from './random.ts'
import { callTopics, ticketSubjects } from './texts.ts'
import type { World } from './world.ts'

const CALL_INSTEAD_OF_TICKET_SHARE = 0.4
const RATED_SHARE = 0.5
const TICKET_KEY = 0x71c7
const TICKETS_PER_PERSON = 1024
const YEAR_MS = 365.25 * DAY_MS

const describeReceipt = (stream: Stream, person: Person, placed: PlacedOrder, subscribesNow: boolean): Receipt => {
  const { cardShareInStore, loyaltyShownShare, receiptByEmailShare } = planted.orders
  const paysByCard = stream.chance(cardShareInStore)
  const showsCard = stream.chance(loyaltyShownShare)
  const byEmail = stream.chance(receiptByEmailShare)
  const isJunk = stream.chance(planted.faults.junkReceiptEmailShare)
  return {
    kind: 'receipt',
    at: placed.order.at,
    order: placed.order,
    cardToken: paysByCard ? (heldAt(person.cards, placed.order.at)?.value ?? null) : null,
    loyaltyId: showsCard ? person.loyaltyId : null,
    email: subscribesNow ? 'own' : byEmail ? (isJunk ? 'junk' : 'own') : 'none',
  }
}

/** The address somebody writes from: their own, the family's, the one at work or the company's shared mailbox. */
const senderAddress = (person: Person, at: number, stream: Stream): string => {
  const shared = stream.chance(planted.identity.companyMailboxShare)
  const work = person.buysForCompany ? employmentAt(person, at) : null
  if (work) return shared ? work.company.mailbox : work.email
  return person.usesFamilyMailbox && shared && person.household.familyMailbox
    ? person.household.familyMailbox
    : person.email
}

const planTicket = (world: World, person: Person, placed: PlacedOrder, stream: Stream): Ticket[] => {
  const { order, experience } = placed
  const { offsetMinutes } = countries[person.household.region.country]
  const openedAt = atSuitableHour(stream, order.at + stream.between(2, 8) * DAY_MS, {
    hours: 'home',
    offsetMinutes,
    notBefore: order.at + HOUR_MS,
  })
  const solvedAt = atSuitableHour(stream, openedAt + stream.between(0.1, 2) * DAY_MS, {
    hours: 'desk',
    offsetMinutes,
    notBefore: openedAt + HOUR_MS,
  })
  const ticket: Ticket = {
    kind: 'ticket',
    at: openedAt,
    step: 'opened',
    ticketId: `T-${scramble(person.index * TICKETS_PER_PERSON + order.number, world.key.high ^ TICKET_KEY)}`,
    subject: stream.pick(ticketSubjects),
    address: senderAddress(person, openedAt, stream),
    salesperson: salespersonOf(person),
    order,
    openedAt,
    rating: 3 + stream.below(3),
  }
  const rates = stream.chance(RATED_SHARE)
  if (experience === 'bad-unsolved') return [ticket]
  const solved: Ticket = { ...ticket, step: 'solved', at: solvedAt }
  const rated: Ticket = { ...ticket, step: 'rated', at: solvedAt + 3 * HOUR_MS }
  return rates ? [ticket, solved, rated] : [ticket, solved]
}

const planInboundCall = (person: Person, placed: PlacedOrder, stream: Stream): PhoneCall => {
  const { offsetMinutes } = countries[person.household.region.country]
  const day = placed.order.at + stream.between(1, 7) * DAY_MS
  const withheld = stream.chance(planted.faults.withheldNumberShare)
  const atDesk = stream.chance(planted.identity.switchboardShare) && person.buysForCompany
  return {
    kind: 'call',
    at: atSuitableHour(stream, day, { hours: 'desk', offsetMinutes, notBefore: placed.order.at + HOUR_MS }),
    direction: 'inbound',
    salesperson: salespersonOf(person),
    outcome: 'connected',
    topic: placed.experience === 'good' ? stream.pick(callTopics) : 'complaint',
    number: withheld ? 'withheld' : atDesk ? 'switchboard' : 'own',
    campaign: null,
    order: placed.order,
  }
}

/** Everything that one order leads to. `subscribesNow`: the buyer asks for the newsletter with it. */
export const followOrder = (world: World, person: Person, placed: PlacedOrder, subscribesNow: boolean): Episode[] => {
  const { order, experience } = placed
  const stream = new Stream(world.key, purposes.service, person.index, order.number)
  const episodes: Episode[] = []
  const receipt = describeReceipt(stream, person, placed, subscribesNow)
  if (order.place === 'store') episodes.push(receipt)
  if (order.refund) episodes.push({ kind: 'refund', at: order.refund.at, order })
  const canCall = person.phone !== null
  const prefersCall = stream.chance(CALL_INSTEAD_OF_TICKET_SHARE)
  const asks = stream.chance(planted.orders.questionCallShare)
  const calls = canCall && (experience === 'good' ? asks : prefersCall)
  if (calls) episodes.push(planInboundCall(person, placed, stream))
  else if (experience !== 'good') episodes.push(...planTicket(world, person, placed, stream))
  return episodes
}

const poissonTimes = (stream: Stream, perYear: number, from: number, to: number): number[] => {
  const times: number[] = []
  for (let at = from; ; ) {
    at += stream.exponential(1 / perYear) * YEAR_MS
    if (at >= to) return times
    times.push(at)
  }
}

/** Kiosk visits, comments and job changes: what happens to people apart from orders. */
export const planAsides = (world: World, person: Person): Episode[] => {
  const stream = new Stream(world.key, purposes.social, person.index)
  const { offsetMinutes } = countries[person.household.region.country]
  const from = Math.max(person.joinAt, world.startAt)
  const episodes: Episode[] = []
  const { kioskVisitsPerYear, kioskEmailShare, kioskLoginShare } = planted.identity
  if (person.store !== null) {
    for (const time of poissonTimes(stream, kioskVisitsPerYear, from, world.horizonAt)) {
      const at = atSuitableHour(stream, time, { hours: 'store', offsetMinutes, notBefore: from })
      const drawn = stream.unit()
      const shows = drawn < kioskEmailShare ? 'email' : drawn < kioskEmailShare + kioskLoginShare ? 'login' : 'nothing'
      episodes.push({ kind: 'kiosk', at, store: person.store, shows })
    }
  }
  if (person.social) {
    for (const time of poissonTimes(stream, planted.socialCommentsPerYear, from, world.horizonAt)) {
      episodes.push({
        kind: 'comment',
        at: atSuitableHour(stream, time, { hours: 'home', offsetMinutes, notBefore: from }),
      })
    }
  }
  for (const employment of person.employments.slice(1)) {
    const at = atSuitableHour(stream, employment.from, { hours: 'desk', offsetMinutes, notBefore: employment.from })
    if (person.buysForCompany) episodes.push({ kind: 'job', at, employment })
  }
  return episodes
}
