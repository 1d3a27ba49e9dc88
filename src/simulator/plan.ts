/** The words for what happens in a life: types only. Each episode begins at `at` and turns into one or more calls. */
import type { Arm, Campaign } from './campaigns.ts'
import type { Device } from './devices.ts'
import type { Order } from './orders.ts'
import type { Employment, Person } from './people.ts'
import type { Channel, Salesperson } from './planted.ts'
import type { PurchaseProcess } from './purchases.ts'

/** Why somebody is on the shop's site. `consider` looks at what the next order will hold. */
export type VisitPurpose = 'browse' | 'consider' | 'buy' | 'subscribe'

/** A visit before it is known on which device it happens. */
export interface VisitDraft {
  at: number
  purpose: VisitPurpose
  channel: Channel
  /** Set when a mail led here. */
  campaign: Campaign | null
  /** What is bought (`buy`) or considered. */
  order: Order | null
}

export type SignIn = 'none' | 'login' | 'sign-up'

export interface Visit extends VisitDraft {
  kind: 'visit'
  device: Device
  /** Which of the device's anonymous ids, and its value; the value is replaced where a banner zeroes it. */
  anonymousId: string
  isZeroed: boolean
  /** Whose login the device still held when the visit began. */
  userIdBefore: string | null
  signIn: SignIn
  /** The login after signing in; null for an anonymous visit. */
  userId: string | null
  signsOut: boolean
  isOffline: boolean
  /** First visit under this anonymous id on a device of the person's own: tells the display hold-out. */
  announcesHoldout: boolean
}

export interface KioskVisit {
  kind: 'kiosk'
  at: number
  store: number
  shows: 'nothing' | 'email' | 'login'
}

export interface Receipt {
  kind: 'receipt'
  at: number
  order: Order
  cardToken: string | null
  loyaltyId: string | null
  email: 'none' | 'own' | 'junk'
}

export interface RefundEpisode {
  kind: 'refund'
  at: number
  order: Order
}

export type MailStep = 'sent' | 'bounced' | 'held-out' | 'opened' | 'clicked' | 'unsubscribed'

export interface MailEpisode {
  kind: 'mail'
  at: number
  step: MailStep
  campaign: Campaign
  arm: Arm
  address: string
}

export type CallOutcome = 'connected' | 'no_answer' | 'voicemail'

export interface PhoneCall {
  kind: 'call'
  at: number
  direction: 'inbound' | 'outbound'
  salesperson: Salesperson
  outcome: CallOutcome
  topic: string
  number: 'own' | 'switchboard' | 'withheld'
  campaign: Campaign | null
  order: Order | null
}

/** A person's place on a call list: called or held out. */
export interface ListEntry {
  kind: 'listed'
  at: number
  campaign: Campaign
  arm: Arm
}

export interface Ticket {
  kind: 'ticket'
  at: number
  step: 'opened' | 'solved' | 'rated'
  ticketId: string
  subject: string
  address: string
  salesperson: Salesperson
  order: Order | null
  openedAt: number
  rating: number
}

export interface SocialComment {
  kind: 'comment'
  at: number
}

/** The shop's server learns that two accounts are one person. */
export interface AliasEpisode {
  kind: 'alias'
  at: number
}

/** The shop's server tells the company of somebody who changed jobs. */
export interface JobEpisode {
  kind: 'job'
  at: number
  employment: Employment
}

export type Episode =
  | Visit
  | KioskVisit
  | Receipt
  | RefundEpisode
  | MailEpisode
  | PhoneCall
  | ListEntry
  | Ticket
  | SocialComment
  | AliasEpisode
  | JobEpisode

/** How a campaign treated one person. */
export interface Treatment {
  campaign: Campaign
  arm: Arm
  at: number
  /** Expected additional orders of this very treatment, given what the person was at that moment. */
  effect: number
  /** Whether it did cause an order. */
  caused: boolean
}

/** A visit through a channel that can cause an order. */
export interface Touch {
  at: number
  channel: Channel
  /** Expected additional orders of this very visit. */
  effect: number
  caused: boolean
}

/** One person's whole story, before any of it is sent. */
export interface Life {
  person: Person
  process: PurchaseProcess
  devices: readonly Device[]
  orders: readonly Order[]
  treatments: readonly Treatment[]
  touches: readonly Touch[]
  /** When the account came to be, and when the second one did; Infinity for never. */
  accountAt: number
  secondAccountAt: number
  /** When the two accounts were joined by an alias call; Infinity for never. */
  aliasAt: number
  subscribedAt: number
  unsubscribedAt: number
  /** The address that the person's newsletters go to. */
  mailAddress: string
  /** The anonymous id of the kiosk in the person's store, if they use one. */
  kioskAnonymousId: string | null
  /** By time; the position is the episode's number. */
  episodes: readonly Episode[]
}
