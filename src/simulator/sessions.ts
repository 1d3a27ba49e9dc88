/**
 * In: a person's visits by time and their devices. Out: the same visits with device, anonymous id and sign-in: which
 * browser still holds which login, when an account is made, who takes a second one, who signs out.
 */

import { atSuitableHour } from './calendar.ts'
import { type Device, epochAt, tabletHolder } from './devices.ts'
import { countries } from './name-data.ts'
import type { Person } from './people.ts'
import type { SignIn, Visit, VisitDraft } from './plan.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, planted } from './planted.ts'
import type { PurchaseProcess } from './purchases.ts'
import { purposes, Stream } from './random.ts'
import type { World } from './world.ts'

/** What the person means to do about accounts and mail. Infinity = never. */
export interface Intentions {
  signUpFrom: number
  secondAccountFrom: number
  aliasDelayMs: number
  subscribedAt: number
  /** Whether subscribing takes a visit of its own; otherwise it happens with the first order. */
  subscribesByForm: boolean
}

export interface Accounts {
  accountAt: number
  secondAccountAt: number
}

const LOGIN_SHARE = { buy: 0.85, other: 0.35 }
const SIGN_OUT_SHARE = 0.06
const SIGN_UP_AT_FIRST_ORDER_SHARE = 0.6
const SIGN_UP_MEAN_DAYS = 15
const SUBSCRIBE_MEAN_DAYS = 12
const SECOND_ACCOUNT_MEAN_DAYS = 120
const ZEROED_ID = '00000000-0000-0000-0000-000000000000'

export const drawIntentions = (world: World, person: Person, process: PurchaseProcess): Intentions => {
  const stream = new Stream(world.key, purposes.session, person.index, 1)
  const { accountShareOfBuyers, accountShareOfOthers, secondAccountShare, aliasShare } = planted.identity
  const { subscriberShareOfBuyers, subscriberShareOfOthers } = planted.causes.mail
  const firstOrderAt = process.orders[0]?.at ?? null
  const isBuyer = firstOrderAt !== null
  const hasAccount = stream.chance(isBuyer ? accountShareOfBuyers : accountShareOfOthers)
  const withOrder = stream.chance(SIGN_UP_AT_FIRST_ORDER_SHARE)
  const later = person.joinAt + stream.exponential(SIGN_UP_MEAN_DAYS) * DAY_MS
  const subscribes = stream.chance(isBuyer ? subscriberShareOfBuyers : subscriberShareOfOthers)
  const byForm = stream.chance(0.5) || firstOrderAt === null
  const formAt = atSuitableHour(stream, person.joinAt + stream.exponential(SUBSCRIBE_MEAN_DAYS) * DAY_MS, {
    hours: 'home',
    offsetMinutes: countries[person.household.region.country].offsetMinutes,
    notBefore: person.joinAt,
  })
  const subscribedAt = byForm ? formAt : (firstOrderAt ?? formAt)
  const signUpFrom = withOrder && firstOrderAt !== null ? firstOrderAt - 30 * MINUTE_MS : later
  const hasSecond = stream.chance(secondAccountShare) && hasAccount
  const secondFrom = signUpFrom + stream.exponential(SECOND_ACCOUNT_MEAN_DAYS) * DAY_MS
  const joins = stream.chance(aliasShare)
  return {
    signUpFrom: hasAccount ? signUpFrom : Infinity,
    secondAccountFrom: hasSecond ? secondFrom : Infinity,
    aliasDelayMs: joins ? Math.floor(stream.between(1, 40) * DAY_MS) : Infinity,
    subscribedAt: subscribes ? subscribedAt : Infinity,
    subscribesByForm: byForm,
  }
}

const isOfficeTime = (at: number, offsetMinutes: number): boolean => {
  const local = at + offsetMinutes * MINUTE_MS
  const hour = Math.floor(local / HOUR_MS) % 24
  return (Math.floor(local / DAY_MS) + 3) % 7 < 5 && hour >= 8 && hour < 18
}

const AT_HAND_AFTER_HOURS = 0.001

const chooseDevice = (person: Person, devices: readonly Device[], at: number, stream: Stream): Device => {
  const isOffice = isOfficeTime(at, countries[person.household.region.country].offsetMinutes)
  const weights = devices.map(device => {
    if (device.isShared && tabletHolder(person.household, at) !== person.index) return 0
    if (device.kind === 'work') return isOffice ? device.weight * 2 : AT_HAND_AFTER_HOURS
    return device.weight
  })
  const device = devices[stream.weighted(weights)]
  if (!device) throw new Error('a person has no device')
  return device
}

interface Held {
  epoch: number
  userId: string | null
}

interface Walk {
  person: Person
  intentions: Intentions
  accounts: Accounts
  stream: Stream
}

/** Signing in on a device that holds no login; makes the account, or the second one, when its time has come. */
const signInOn = (walk: Walk, device: Device, draft: VisitDraft): { signIn: SignIn; userId: string | null } => {
  const { person, intentions, accounts, stream } = walk
  const isWilling = stream.chance(
    device.isShared ? planted.identity.tabletLoginShare : draft.purpose === 'buy' ? LOGIN_SHARE.buy : LOGIN_SHARE.other,
  )
  if (!device.signsIn || draft.purpose === 'subscribe') return { signIn: 'none', userId: null }
  if (accounts.accountAt === Infinity) {
    if (draft.at < intentions.signUpFrom) return { signIn: 'none', userId: null }
    accounts.accountAt = draft.at
    return { signIn: 'sign-up', userId: person.userId }
  }
  if (accounts.secondAccountAt === Infinity && draft.at >= intentions.secondAccountFrom) {
    accounts.secondAccountAt = draft.at
    return { signIn: 'sign-up', userId: person.secondUserId }
  }
  const userId = draft.at >= accounts.secondAccountAt ? person.secondUserId : person.userId
  return isWilling ? { signIn: 'login', userId } : { signIn: 'none', userId: null }
}

/** Visits by time → the same with devices and sign-ins, and when the accounts came to be. */
export const walkVisits = (
  world: World,
  person: Person,
  devices: readonly Device[],
  plan: { drafts: readonly VisitDraft[]; intentions: Intentions },
): { visits: Visit[]; accounts: Accounts } => {
  const stream = new Stream(world.key, purposes.session, person.index)
  const { intentions } = plan
  // An account from before the simulated days was made unseen.
  const accountAt = intentions.signUpFrom < world.startAt ? Math.floor(intentions.signUpFrom) : Infinity
  const accounts: Accounts = { accountAt, secondAccountAt: Infinity }
  const walk: Walk = { person, intentions, accounts, stream }
  const held = new Map<Device, Held>()
  const visits = plan.drafts.map((draft): Visit => {
    const device = chooseDevice(person, devices, draft.at, stream)
    const epoch = epochAt(device, draft.at)
    const before = held.get(device)
    const isFirst = before?.epoch !== epoch
    const userIdBefore = isFirst ? null : before.userId
    const { signIn, userId } =
      userIdBefore === null ? signInOn(walk, device, draft) : { signIn: 'none' as const, userId: userIdBefore }
    const signsOut = userId !== null && (device.isShared || stream.chance(SIGN_OUT_SHARE))
    held.set(device, { epoch, userId: signsOut ? null : userId })
    const isAnonymousBrowser = device.source === 'website' && userId === null && !device.isShared
    const isZeroed = stream.chance(planted.faults.zeroedVisitShare) && isAnonymousBrowser
    const isOffline = stream.chance(planted.faults.offlineVisitShare) && device.source === 'mobile-app'
    return {
      ...draft,
      kind: 'visit',
      device,
      anonymousId: isZeroed ? ZEROED_ID : device.anonymousId(epoch),
      isZeroed,
      userIdBefore,
      signIn,
      userId,
      signsOut,
      isOffline: isOffline && draft.purpose !== 'buy' && signIn === 'none',
      announcesHoldout: isFirst && !device.isShared && !isZeroed,
    }
  })
  return { visits, accounts }
}
