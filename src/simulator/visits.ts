/** In: a visit and the life it belongs to. Out: its calls: pages, products seen, sign-ins, the way through the checkout. */
import type { JsonObject } from '../spec/json.ts'
import { type Body, browserLibrary, externalId, type Sender, serverLibrary, socialNamespaces } from './calls.ts'
import { amount, CURRENCY, type Product, priceAt } from './catalogue.ts'
import { kioskUserAgent } from './devices.ts'
import { documentationIp } from './households.ts'
import { categoryPage, homePage, landingOf, productPage } from './landing.ts'
import { countries, stores } from './name-data.ts'
import type { Order } from './orders.ts'
import { employmentAt, heldAt, type Person } from './people.ts'
import type { KioskVisit, Life, Visit } from './plan.ts'
import { HOUR_MS, planted } from './planted.ts'
import type { Stream } from './random.ts'
import { Script, type Visitor } from './script.ts'
import { orderProperties, productProperties } from './shop-calls.ts'
import { searchTerms } from './texts.ts'
import { accountTraits, buyerTraits, companyTraits, contactEmail, untidy } from './traits.ts'
import type { World } from './world.ts'

const ANOTHER_PRODUCT = 0.52
const PRODUCTS_MAX = 12
const LIST_SHARE = 0.35
const SEARCH_SHARE = 0.12
const ABANDONED_CART_SHARE = 0.12
const MOBILE_NETWORK_SHARE = 0.4

const visitorOf = (person: Person, visit: Visit, stream: Stream): Visitor => {
  const { device } = visit
  const { locale, timezone } = countries[person.household.region.country]
  const job = device.kind === 'work' ? employmentAt(person, visit.at) : null
  const word = stream.word()
  const isMobile = (device.kind === 'phone' || device.kind === 'app') && stream.chance(MOBILE_NETWORK_SHARE)
  const ip = job ? job.company.ip : isMobile ? documentationIp(word) : person.household.ip
  const own: JsonObject =
    device.source === 'website'
      ? { ip, userAgent: device.userAgent, library: browserLibrary, locale, timezone }
      : { ip, ...device.appContext, locale, timezone }
  const groupId = visit.userIdBefore !== null && person.buysForCompany ? employmentAt(person, visit.at) : null
  return {
    source: device.source,
    anonymousId: visit.anonymousId,
    userId: visit.userIdBefore ?? (device.isBuggy ? 'null' : null),
    context: groupId ? { ...own, groupId: groupId.company.groupId } : own,
  }
}

/** What the visitor looks at: the order's products first, then whatever they like. */
const drawProducts = (world: World, life: Life, visit: Visit, stream: Stream): Product[] => {
  const { person } = life
  const planned = visit.order?.lines.map(line => line.product) ?? []
  const others = stream.geometric(ANOTHER_PRODUCT, PRODUCTS_MAX) + (planned.length === 0 ? 1 : 0)
  const drawn = Array.from({ length: others }, () => world.assortment.draw(stream, person, visit.at))
  const known = planned.filter(product => product.launchAt <= visit.at)
  const products = [...(visit.purpose === 'consider' ? known.slice(0, 3) : planned), ...drawn]
  return products.length > 0 ? products : [world.assortment.draw(stream, person, visit.at)]
}

const seen = (product: Product, at: number): JsonObject => productProperties(product, priceAt(product, at).priceMinor)

const signIn = (script: Script, life: Life, visit: Visit): void => {
  const { person } = life
  if (visit.userId === null || visit.signIn === 'none') return
  const isNew = visit.signIn === 'sign-up'
  const ids: JsonObject[] = []
  if (person.social?.linked) ids.push(externalId(socialNamespaces[person.social.network], person.social.id))
  if (person.loyaltyId !== null && person.linksLoyalty) ids.push(externalId('loyalty_id', person.loyaltyId))
  const email = contactEmail(life, visit.at)
  script.identify(visit.userId, isNew ? accountTraits(life, visit.at) : { email }, ids)
  script.track(isNew ? 'Signed Up' : 'Signed In', { method: person.social?.linked ? person.social.network : 'email' })
  const job = person.buysForCompany ? employmentAt(person, visit.at) : null
  if (job) script.group(job.company.groupId, companyTraits(job.company))
}

const lookAround = (script: Script, visit: Visit, products: readonly Product[], stream: Stream): void => {
  let category = ''
  products.forEach((product, index) => {
    if (stream.chance(SEARCH_SHARE)) {
      const query = stream.pick(searchTerms)
      script.open({ path: `/search?q=${encodeURIComponent(query)}`, title: `“${query}” – Northwind` })
      script.track('Products Searched', { query })
    } else if (product.category !== category && index > 0) {
      script.open(categoryPage(product))
      if (stream.chance(LIST_SHARE)) script.track('Product List Viewed', { category: product.category })
    }
    category = product.category
    if (!script.isAt(productPage(product))) script.open(productPage(product))
    script.track('Product Viewed', seen(product, visit.at))
  })
}

const leaveInCart = (script: Script, visit: Visit, product: Product): void => {
  const { priceMinor } = priceAt(product, visit.at)
  script.track('Product Added', { ...productProperties(product, priceMinor), quantity: 1 })
  script.open({ path: '/cart', title: 'Your cart – Northwind' })
  script.track('Cart Viewed', { products: [{ ...productProperties(product, priceMinor), quantity: 1 }] })
}

/** The server's call about an order: it knows what the browser passed on and what the buyer typed. */
const orderBody = (life: Life, script: Script, order: Order, email: string, stream: Stream): Body => {
  const { person } = life
  const { userId, anonymousId, source } = script.visitor
  const card = heldAt(person.cards, order.at)
  const knowsCard = stream.chance(planted.orders.cardTokenOnlineShare) && card !== null
  const body: Body = {
    type: 'track',
    event: 'Order Completed',
    anonymousId,
    properties: orderProperties(order, {
      channel: source === 'mobile-app' ? 'app' : 'web',
      payment_method: knowsCard ? 'card' : 'invoice',
      shipping_country: person.household.address.country,
      email,
    }),
    context: {
      library: serverLibrary,
      traits: { email },
      ...(order.groupId === null ? {} : { groupId: order.groupId }),
      ...(knowsCard ? { externalIds: [externalId('card_token', card.value)] } : {}),
    },
  }
  if (userId !== null && userId !== 'null') body.userId = userId
  return body
}

/** Cart, checkout, order. Returns the number of the step that is the order. */
const buy = (script: Script, life: Life, visit: Visit, order: Order, stream: Stream): number => {
  const { person } = life
  for (const line of order.lines) {
    script.track('Product Added', { ...productProperties(line.product, line.priceMinor), quantity: line.quantity })
  }
  script.open({ path: '/cart', title: 'Your cart – Northwind' })
  script.track('Cart Viewed', { value: amount(order.subtotalMinor), currency: CURRENCY })
  signIn(script, life, visit)
  script.open({ path: '/checkout', title: 'Checkout – Northwind' })
  script.track('Checkout Started', {
    order_id: order.id,
    value: amount(order.subtotalMinor),
    shipping: amount(order.shippingMinor),
    currency: CURRENCY,
  })
  if (order.voucher !== null) script.track('Coupon Applied', { order_id: order.id, coupon_id: order.voucher })
  const isTyped = visit.userId === null
  const isWrong = stream.chance(planted.identity.typoEmailShare) && isTyped
  const address = isWrong ? person.typoEmail : contactEmail(life, visit.at)
  const email = isTyped ? untidy(address, stream) : address
  script.identify(visit.userId, buyerTraits(life, visit, email))
  script.track('Payment Info Entered', { order_id: order.id, payment_method: 'card' })
  script.aside('shop', orderBody(life, script, order, email, stream))
  const step = script.steps.length - 1
  script.open({ path: '/checkout/thanks', title: 'Thank you – Northwind' })
  return step
}

const announceHoldout = (script: Script, person: Person): void =>
  script.track('Campaign Assigned', {
    campaign_id: 'display-always-on',
    campaign_name: 'Display, always on',
    channel: 'display',
    variation: person.heldOutOfDisplay ? 'holdout' : 'plain',
    holdout: person.heldOutOfDisplay,
  })

export const renderVisit = (world: World, life: Life, visit: Visit, sender: Sender, stream: Stream): void => {
  const { person } = life
  const products = drawProducts(world, life, visit, stream)
  const interest = products[0] ?? world.assortment.draw(stream, person, visit.at)
  const landing = landingOf(visit, interest, stream)
  const script = new Script(visitorOf(person, visit, stream), stream, landing.referrer)
  script.open(landing.spot, landing.campaign)
  if (visit.announcesHoldout) announceHoldout(script, person)
  if (visit.purpose === 'subscribe') {
    const email = untidy(life.mailAddress, stream)
    script.identify(null, { email, newsletter: true })
    script.track('Newsletter Subscribed', { email, list: 'news' })
  }
  if (visit.purpose !== 'buy') signIn(script, life, visit)
  lookAround(script, visit, products, stream)
  const heldUntil = visit.isOffline ? visit.at + stream.exponential(planted.faults.offlineMeanHours) * HOUR_MS : 0
  const clock = { skewMs: visit.device.skewMs, heldUntil }
  if (visit.purpose === 'buy' && visit.order) {
    const step = buy(script, life, visit, visit.order, stream)
    if (visit.signsOut) script.signOut()
    script.play(sender, visit.at, clock, { step, at: visit.order.at })
    return
  }
  const abandons = stream.chance(ABANDONED_CART_SHARE)
  if (abandons && visit.purpose === 'browse') leaveInCart(script, visit, interest)
  if (visit.signsOut) script.signOut()
  script.play(sender, visit.at, clock)
}

/** Somebody at a store's kiosk: the same browser for everybody. */
export const renderKiosk = (world: World, life: Life, visit: KioskVisit, sender: Sender, stream: Stream): void => {
  const { person } = life
  const { locale, timezone } = countries[person.household.region.country]
  const context = { ip: '192.0.2.10', userAgent: kioskUserAgent, library: browserLibrary, locale, timezone }
  const anonymousId = life.kioskAnonymousId ?? ''
  const script = new Script({ source: 'website', anonymousId, userId: null, context }, stream, '')
  script.open({ ...homePage, path: `/?kiosk=${stores[visit.store]?.id ?? ''}` })
  for (let count = stream.geometric(ANOTHER_PRODUCT, PRODUCTS_MAX); count >= 0; count -= 1) {
    const product = world.assortment.draw(stream, person, visit.at)
    script.open(productPage(product))
    script.track('Product Viewed', seen(product, visit.at))
  }
  const hasAccount = life.accountAt <= visit.at
  if (visit.shows === 'email') {
    const email = untidy(person.email, stream)
    script.identify(null, { email })
    script.track('List Mailed', { email })
  } else if (visit.shows === 'login' && hasAccount) {
    const userId = life.secondAccountAt <= visit.at ? person.secondUserId : person.userId
    script.identify(userId, { email: contactEmail(life, visit.at) })
    script.track('Signed In', { method: 'email' })
    script.open({ path: '/account/orders', title: 'Your orders – Northwind' })
    script.signOut()
  }
  script.play(sender, visit.at, { skewMs: 0, heldUntil: 0 })
}
