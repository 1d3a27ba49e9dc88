/**
 * In: the simulated days. Out: the shop's campaigns: promotions and newsletters by e-mail and lists of people to call,
 * each with random arms, so that its true effect can be measured and is known.
 */
import { mailHour } from './calendar.ts'
import { DAY_MS, type DiscountClass, planted } from './planted.ts'

export type CampaignKind = 'promotion' | 'newsletter' | 'sales-call'
export type Arm = 'holdout' | 'plain' | 'discount'

export interface Campaign {
  index: number
  id: string
  name: string
  subject: string
  kind: CampaignKind
  /** When it goes out, ms. */
  at: number
  /** Orders caused by it fall in [at, at + windowMs + the hours it takes to send). */
  windowMs: number
  voucher: string
}

const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July'].concat([
  'August',
  'September',
  'October',
  'November',
  'December',
])
const themes = ['Long weekends', 'Rain or shine', 'Out before dawn', 'The commute', 'Nights outside', 'Family rides']
const stories = [
  'From the workshop',
  'Five quiet roads',
  'How we test tents',
  'A letter from the saddle',
  'Mending day',
]

const kinds: Record<CampaignKind, { firstDay: number; everyDays: number; windowDays: number }> = {
  promotion: { ...planted.causes.mail, firstDay: planted.causes.mail.promotion.firstDay },
  newsletter: { ...planted.causes.mail, firstDay: planted.causes.mail.newsletter.firstDay },
  'sales-call': planted.causes.salesCall,
}

const describe = (kind: CampaignKind, at: number, round: number): Pick<Campaign, 'id' | 'name' | 'subject'> => {
  const date = new Date(at)
  const day = date.toISOString().slice(0, 10)
  const month = `${monthNames[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`
  const theme = themes[round % themes.length] ?? ''
  const story = stories[round % stories.length] ?? ''
  if (kind === 'promotion') {
    return { id: `promotion-${day}`, name: `${theme}, ${month}`, subject: `${theme}: what to take along` }
  }
  if (kind === 'newsletter') return { id: `newsletter-${day}`, name: `Newsletter, ${month}`, subject: story }
  return { id: `calls-${day}`, name: `Call list, ${month}`, subject: '' }
}

/** All campaigns of the simulated days, by time. */
export const createCampaigns = (startAt: number, horizonAt: number): Campaign[] => {
  const campaigns: Omit<Campaign, 'index'>[] = []
  for (const kind of Object.keys(kinds) as CampaignKind[]) {
    const { firstDay, everyDays, windowDays } = kinds[kind]
    for (let round = 0; ; round += 1) {
      const at = mailHour(startAt + (firstDay + round * everyDays) * DAY_MS)
      // Only campaigns whose whole window is simulated: then every order they cause is seen.
      if (at + windowDays * DAY_MS > horizonAt) break
      const voucher = `OUT${String(round + 1).padStart(2, '0')}`
      campaigns.push({ ...describe(kind, at, round), kind, at, windowMs: windowDays * DAY_MS, voucher })
    }
  }
  return campaigns
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .map((campaign, index) => ({ ...campaign, index }))
}

/** Which random arm a draw in [0, 1) falls into. */
export const armOf = (kind: CampaignKind, draw: number): Arm => {
  const { promotion, newsletter } = planted.causes.mail
  if (kind === 'sales-call') return draw < planted.causes.salesCall.holdout ? 'holdout' : 'plain'
  if (kind === 'newsletter') return draw < newsletter.holdout ? 'holdout' : 'plain'
  if (draw < promotion.holdout) return 'holdout'
  return draw < promotion.holdout + promotion.discount ? 'discount' : 'plain'
}

/** Orders that one mail adds for a customer who has not left. Calls have their effect per connection, see causes. */
export const mailEffect = (kind: CampaignKind, arm: Arm, discountClass: DiscountClass): number => {
  if (kind !== 'promotion' || arm === 'holdout') return 0
  const { plainEffect, discountEffect } = planted.causes.mail
  return arm === 'discount' ? discountEffect[discountClass] : plainEffect[discountClass]
}
