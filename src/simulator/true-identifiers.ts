/** In: a life. Out: every identifier that truly stands for the person, when, and with whom it is shared. */
import { socialNamespaces } from './calls.ts'
import { stores } from './name-data.ts'
import type { Life } from './plan.ts'

export type SharedWith = 'nobody' | 'household' | 'company' | 'store visitors'

export interface IdentifierTruth {
  /** Spelled as in the identity rules: user_id, anonymous_id, email, phone, ios.id … */
  namespace: string
  /** Normalised: e-mails in lower case, phones in E.164. */
  value: string
  /**
   * Stands for the person during [from, to), ms; null = from the beginning, or for good. A later call may still answer
   * an earlier one under the old value: a refund to the old card, a ticket solved after a change of job.
   */
  from: number | null
  to: number | null
  sharedWith: SharedWith
  /** Set for an address that was mistyped: it is the person's doing and reaches nobody. */
  isTypo: boolean
}

/** Values that many send and that mean nobody. */
export const junkIdentifiers: readonly { namespace: string; value: string }[] = [
  { namespace: 'user_id', value: 'null' },
  { namespace: 'anonymous_id', value: '00000000-0000-0000-0000-000000000000' },
  { namespace: 'email', value: 'noemail@example.com' },
  { namespace: 'phone', value: 'anonymous' },
]

type Rest = Partial<Pick<IdentifierTruth, 'from' | 'to' | 'sharedWith' | 'isTypo'>>

const ending = (at: number): number | null => (Number.isFinite(at) ? at : null)

const deviceIdentifiers = (life: Life, add: (namespace: string, value: string, rest?: Rest) => void): void => {
  for (const device of life.devices) {
    device.renewals.forEach((from, epoch) => {
      const to = device.renewals[epoch + 1] ?? null
      const sharedWith = device.isShared ? 'household' : 'nobody'
      // The first id holds from before the first visit: what came before a renewal is the earlier id's.
      add('anonymous_id', device.anonymousId(epoch), { from: epoch === 0 ? null : from, to, sharedWith })
    })
    const described = device.appContext.device
    if (device.deviceId !== null && typeof described === 'object' && described !== null && !Array.isArray(described)) {
      add(`${String(described.type)}.id`, device.deviceId)
      if (typeof described.advertisingId === 'string') add(`${String(described.type)}.idfa`, described.advertisingId)
    }
  }
}

const mailIdentifiers = (life: Life, add: (namespace: string, value: string, rest?: Rest) => void): void => {
  const { person } = life
  add('email', person.email)
  add('email', person.typoEmail, { isTypo: true })
  if (person.usesFamilyMailbox && person.household.familyMailbox) {
    add('email', person.household.familyMailbox, { sharedWith: 'household' })
  }
  for (const job of person.employments) {
    const during = { from: job.from, to: ending(job.to) }
    // A mailing list keeps the old address after a change of job, until it bounces: so no end.
    add('email', job.email, { from: job.from })
    if (person.buysForCompany) add('email', job.company.mailbox, { ...during, sharedWith: 'company' })
    const isReachable = person.buysForCompany && job.company.switchboard !== null
    if (isReachable) add('phone', job.company.switchboard ?? '', { ...during, sharedWith: 'company' })
  }
}

export const identifiersOf = (life: Life): IdentifierTruth[] => {
  const { person } = life
  const identifiers: IdentifierTruth[] = []
  const add = (namespace: string, value: string, rest: Rest = {}): void => {
    identifiers.push({ namespace, value, from: null, to: null, sharedWith: 'nobody', isTypo: false, ...rest })
  }
  if (Number.isFinite(life.accountAt)) add('user_id', person.userId, { from: life.accountAt })
  if (Number.isFinite(life.secondAccountAt)) add('user_id', person.secondUserId, { from: life.secondAccountAt })
  deviceIdentifiers(life, add)
  mailIdentifiers(life, add)
  if (person.phone !== null) add('phone', person.phone)
  for (const card of person.cards) add('card_token', card.value, { from: card.from, to: ending(card.to) })
  if (person.loyaltyId !== null) {
    add('loyalty_id', person.loyaltyId, { sharedWith: person.household.sharedLoyaltyId ? 'household' : 'nobody' })
  }
  if (person.social) add(socialNamespaces[person.social.network], person.social.id)
  if (person.store !== null && stores[person.store]) {
    add('anonymous_id', life.kioskAnonymousId ?? '', { sharedWith: 'store visitors' })
  }
  return identifiers
}
