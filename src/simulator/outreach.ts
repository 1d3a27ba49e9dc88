/**
 * In: a person and the campaigns. Out: how each campaign treated them (held out at random, or mailed or called), what
 * they did about it, and the orders that it caused.
 */

import { atSuitableHour } from './calendar.ts'
import { type Arm, armOf, type Campaign, mailEffect } from './campaigns.ts'
import type { OrderIntent, VoucherWindow } from './intents.ts'
import { countries } from './name-data.ts'
import { employmentAt, type Person } from './people.ts'
import type { CallOutcome, ListEntry, MailEpisode, PhoneCall, Treatment, VisitDraft } from './plan.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, planted, type Salesperson, salespeople } from './planted.ts'
import { type PurchaseProcess, stateAt } from './purchases.ts'
import { purposes, Stream, scramble } from './random.ts'
import type { World } from './world.ts'

export interface MailStory {
  episodes: MailEpisode[]
  treatments: Treatment[]
  visits: VisitDraft[]
  intents: OrderIntent[]
  vouchers: VoucherWindow[]
  unsubscribedAt: number
}

const SEND_SPREAD_MS = 4 * HOUR_MS
const OPEN_MEDIAN_HOURS = 5
const OPEN_HOURS_MAX = 72
const OPEN_BEFORE_ORDER_MS = 29 * MINUTE_MS
const CLICK_BEFORE_ORDER_MS = 26 * MINUTE_MS
const CAUSED_ORDER_MEAN_DAYS = 1.4
const CLICK_OF_CAUSED = 0.7
const OWNER_KEY = 0x0e51
const AGENT_HOURS_DAYS_MAX = 4

/** When a caused order is placed: soon, always within the campaign's window and the simulated days' reach. */
const causedAt = (stream: Stream, from: number, windowMs: number): number => {
  const delay = stream.exponential(CAUSED_ORDER_MEAN_DAYS) * DAY_MS
  const latest = windowMs - HOUR_MS
  return Math.floor(from + 30 * MINUTE_MS + (delay % latest))
}

/** Where the person's mail goes: mostly their own address, sometimes mistyped, the family's, or the one at work. */
export const mailAddress = (world: World, person: Person, at: number): string => {
  const stream = new Stream(world.key, purposes.mail, person.index, 1)
  if (stream.chance(planted.identity.typoEmailShare)) return person.typoEmail
  if (person.usesFamilyMailbox && person.household.familyMailbox) return person.household.familyMailbox
  const work = employmentAt(person, at)
  return person.buysForCompany && work && stream.chance(0.5) ? work.email : person.email
}

/** An address that takes no mail: mistyped, or of a job that has ended. */
const isDead = (person: Person, address: string, at: number): boolean =>
  address === person.typoEmail || person.employments.some(job => job.email === address && at >= job.to)

type StepTaker = (step: MailEpisode['step'], at: number) => void

interface Sending {
  campaign: Campaign
  arm: Arm
  at: number
  address: string
  caused: boolean
}

/** The order that a mail caused, and the reading and clicking on the way to it. */
const followCause = (story: MailStory, stream: Stream, sending: Sending, step: StepTaker): void => {
  const { campaign, arm, at } = sending
  const orderAt = causedAt(stream, at, campaign.windowMs)
  const clicks = stream.chance(CLICK_OF_CAUSED)
  step('opened', orderAt - OPEN_BEFORE_ORDER_MS)
  if (clicks) step('clicked', orderAt - CLICK_BEFORE_ORDER_MS)
  story.intents.push({
    at: orderAt,
    cause: { kind: 'mail', campaignId: campaign.id, arm: arm === 'discount' ? 'discount' : 'plain' },
    channel: clicks ? 'email' : 'direct',
    campaign: clicks ? campaign : null,
    visitAt: null,
    voucher: arm === 'discount' ? { code: campaign.voucher, percent: planted.causes.mail.voucherPercent } : null,
    experience: 'good',
    isStoreOrder: false,
  })
}

/** What follows one mail that was sent. */
const followMail = (story: MailStory, person: Person, stream: Stream, sending: Sending): void => {
  const { campaign, arm, at, address, caused } = sending
  const { deliveredShare, clickOfOpened, unsubscribeOfDelivered } = planted.causes.mail
  const step: StepTaker = (name, when) => {
    story.episodes.push({ kind: 'mail', at: when, step: name, campaign, arm, address })
  }
  const isDelivered = stream.chance(deliveredShare) || caused
  step(isDelivered ? 'sent' : 'bounced', at)
  if (!isDelivered) return
  if (arm === 'discount') story.vouchers.push({ from: at, to: at + campaign.windowMs, code: campaign.voucher })
  if (caused) {
    followCause(story, stream, sending, step)
    return
  }
  const opens = stream.chance(person.openRate)
  const leaves = stream.chance(unsubscribeOfDelivered)
  if (!opens && !leaves) return
  const { offsetMinutes } = countries[person.household.region.country]
  const laterAt = at + Math.min(stream.logNormal(OPEN_MEDIAN_HOURS, 1.1), OPEN_HOURS_MAX) * HOUR_MS
  const readAt = atSuitableHour(stream, laterAt, { hours: 'home', offsetMinutes, notBefore: at })
  if (opens) step('opened', readAt)
  if (opens && stream.chance(clickOfOpened)) {
    const clickAt = readAt + Math.floor(stream.between(5, 90) * 1000)
    step('clicked', clickAt)
    story.visits.push({ at: clickAt + 2000, purpose: 'browse', channel: 'email', campaign, order: null })
  }
  if (leaves) {
    story.unsubscribedAt = readAt + 2 * MINUTE_MS
    step('unsubscribed', story.unsubscribedAt)
  }
}

export const planMail = (world: World, person: Person, process: PurchaseProcess, subscribedAt: number): MailStory => {
  const stream = new Stream(world.key, purposes.mail, person.index)
  const story: MailStory = {
    episodes: [],
    treatments: [],
    visits: [],
    intents: [],
    vouchers: [],
    unsubscribedAt: Infinity,
  }
  if (!Number.isFinite(subscribedAt)) return story
  const address = mailAddress(world, person, subscribedAt)
  for (const campaign of world.campaigns) {
    if (campaign.kind === 'sales-call' || campaign.at < subscribedAt) continue
    if (campaign.at >= story.unsubscribedAt) break
    const arm = armOf(campaign.kind, stream.unit())
    const at = Math.floor(campaign.at + stream.unit() * SEND_SPREAD_MS)
    const effect =
      mailEffect(campaign.kind, arm, person.discountClass) * planted.causes.stateFactor[stateAt(process, at)]
    const dead = isDead(person, address, at)
    const caused = stream.chance(effect) && !dead
    if (arm === 'holdout') {
      story.treatments.push({ campaign, arm, at, effect: 0, caused: false })
      story.episodes.push({ kind: 'mail', at, step: 'held-out', campaign, arm, address })
    } else if (dead) {
      story.treatments.push({ campaign, arm, at, effect: 0, caused: false })
      story.episodes.push({ kind: 'mail', at, step: 'bounced', campaign, arm, address })
      // One bounce and the mail program gives up.
      story.unsubscribedAt = at
    } else {
      story.treatments.push({ campaign, arm, at, effect, caused })
      followMail(story, person, stream, { campaign, arm, at, address, caused })
    }
  }
  return story
}

/** Who of the shop's people looks after this person: by company, or by chance; it never changes. */
export const salespersonOf = (person: Person): Salesperson => {
  const team = salespeople.filter(rep => rep.team === (person.buysForCompany ? 'Fleets' : 'Riders'))
  const account = person.buysForCompany ? (person.employments[0]?.company.index ?? 0) : person.index
  const owner = team[scramble(account, OWNER_KEY) % team.length]
  if (!owner) throw new Error('a team has nobody')
  return owner
}

export interface CallStory {
  episodes: (ListEntry | PhoneCall)[]
  treatments: Treatment[]
  intents: OrderIntent[]
}

const drawOutcome = (stream: Stream): CallOutcome => {
  const drawn = stream.unit()
  if (drawn < planted.causes.salesCall.connected) return 'connected'
  return drawn < planted.causes.salesCall.connected + 0.3 ? 'no_answer' : 'voicemail'
}

/** Effect of one connected call by this salesperson on this person. */
export const callEffect = (person: Person, salesperson: Salesperson): number =>
  planted.causes.salesCall.effect[person.buysForCompany ? 'company' : 'consumer'] * salesperson.skill

export const planSalesCalls = (world: World, person: Person, process: PurchaseProcess): CallStory => {
  const story: CallStory = { episodes: [], treatments: [], intents: [] }
  if (person.phone === null || process.orders.length === 0) return story
  const stream = new Stream(world.key, purposes.salesCall, person.index)
  const { listedShare } = planted.causes.salesCall
  const share = listedShare[person.buysForCompany ? 'company' : 'consumer']
  const salesperson = salespersonOf(person)
  const { offsetMinutes } = countries[person.household.region.country]
  for (const campaign of world.campaigns) {
    if (campaign.kind !== 'sales-call') continue
    const isListed = stream.chance(share) && (process.orders[0]?.at ?? Infinity) < campaign.at
    const arm = armOf(campaign.kind, stream.unit())
    const outcome = drawOutcome(stream)
    const day = campaign.at + stream.below(AGENT_HOURS_DAYS_MAX) * DAY_MS
    const at = atSuitableHour(stream, day, { hours: 'desk', offsetMinutes, notBefore: campaign.at })
    const state = stateAt(process, at)
    const effect = arm === 'plain' ? callEffect(person, salesperson) * planted.causes.stateFactor[state] : 0
    const caused = stream.chance(effect) && outcome === 'connected'
    const orderAt = causedAt(stream, at, campaign.windowMs - AGENT_HOURS_DAYS_MAX * DAY_MS)
    if (!isListed) continue
    story.treatments.push({ campaign, arm, at, effect: effect * planted.causes.salesCall.connected, caused })
    story.episodes.push({ kind: 'listed', at: campaign.at, campaign, arm })
    if (arm === 'holdout') continue
    story.episodes.push({
      kind: 'call',
      at,
      direction: 'outbound',
      salesperson,
      outcome,
      topic: caused ? 'interested' : 'season check-in',
      number: 'own',
      campaign,
      order: null,
    })
    if (!caused) continue
    story.intents.push({
      at: orderAt,
      cause: { kind: 'call', campaignId: campaign.id, arm: 'plain' },
      channel: 'direct',
      campaign: null,
      visitAt: null,
      voucher: null,
      experience: 'good',
      isStoreOrder: false,
    })
  }
  return story
}
