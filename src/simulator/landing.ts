/** In: the channel that brought somebody. Out: where they land, and what the address and the referrer say about it. */
import type { JsonObject } from '../spec/json.ts'
import { categoryPath, type Product, slugOf } from './catalogue.ts'
import type { VisitDraft } from './plan.ts'
import type { Channel } from './planted.ts'
import type { Stream } from './random.ts'
import type { Spot } from './script.ts'

export interface Landing {
  spot: Spot
  referrer: string
  campaign?: JsonObject
}

export const homePage: Spot = { path: '/', title: 'Northwind – bikes and everything outside' }

export const categoryPage = (product: Product): Spot => ({
  path: categoryPath(product.category),
  title: `${product.category} – Northwind`,
})
export const productPage = (product: Product): Spot => ({ path: product.path, title: product.title })

interface Tag {
  source: string
  medium: string
  name: (product: Product) => string
  referrer: string
}

const always =
  (name: string): Tag['name'] =>
  () =>
    name

/** Channels that are recognised by the address's tags. */
const tags: Partial<Record<Channel, Tag>> = {
  brand_search: { source: 'google', medium: 'cpc', name: always('brand'), referrer: 'https://www.google.com/' },
  paid_search: {
    source: 'google',
    medium: 'cpc',
    name: product => `search-${slugOf(product.category)}`,
    referrer: 'https://www.google.com/',
  },
  social: {
    source: 'instagram',
    medium: 'paid-social',
    name: product => `feed-${slugOf(product.category)}`,
    referrer: 'https://l.instagram.com/',
  },
  display: { source: 'displaynet', medium: 'display', name: always('display-always-on'), referrer: '' },
  affiliate: {
    source: 'dealpedal',
    medium: 'affiliate',
    name: always('partners'),
    referrer: 'https://dealpedal.example.org/codes',
  },
}

const untaggedReferrers: Partial<Record<Channel, readonly string[]>> = {
  organic_search: [
    'https://www.google.com/',
    'https://www.google.com/',
    'https://www.bing.com/',
    'https://duckduckgo.com/',
  ],
  referral: ['https://gravelnotes.example.org/reviews', 'https://campfirecouncil.example.net/threads/best-tents'],
}

/** `interest` is the first product the visitor has in mind. */
export const landingOf = (visit: VisitDraft, interest: Product, stream: Stream): Landing => {
  const drawn = stream.unit()
  const spot = drawn < 0.4 ? homePage : drawn < 0.75 ? categoryPage(interest) : productPage(interest)
  if (visit.channel === 'email') {
    const id = visit.campaign?.id ?? 'newsletter'
    const name = visit.campaign?.name ?? 'Newsletter'
    const search = `?utm_source=northwind-mail&utm_medium=email&utm_campaign=${id}`
    return {
      spot: { path: `/campaigns/${id}${search}`, title: `${name} – Northwind` },
      referrer: '',
      campaign: { source: 'northwind-mail', medium: 'email', name: id },
    }
  }
  const tag = tags[visit.channel]
  if (tag) {
    const page = visit.channel === 'brand_search' ? homePage : spot
    const campaign = { source: tag.source, medium: tag.medium, name: tag.name(interest) }
    const search = `?utm_source=${campaign.source}&utm_medium=${campaign.medium}&utm_campaign=${campaign.name}`
    return { spot: { ...page, path: page.path + search }, referrer: tag.referrer, campaign }
  }
  const referrers = untaggedReferrers[visit.channel]
  return { spot, referrer: referrers ? stream.pick(referrers) : '' }
}
