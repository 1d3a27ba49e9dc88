/** A made-up history in which every change of rules that the tests try merges or parts somebody. */

const minute = (n: number) => new Date(Date.UTC(2026, 2, 1 + Math.floor(n / 600), 12, n % 600)).toISOString()

let sent = 0
const call = (type: string, who: object, more: object = {}) => {
  sent += 1
  return { type, messageId: `h${sent}`, timestamp: minute(sent), ...who, ...more }
}

/** Made once: the same messages go to every workspace. */
export const history: object[] = [
  // The same person under two spellings of a login.
  call(
    'identify',
    { userId: 'Ada', anonymousId: 'ada-laptop' },
    { traits: { email: 'ada@example.com', plan: 'free' } },
  ),
  call('track', { anonymousId: 'ada-laptop' }, { event: 'Product Viewed', properties: { product_id: 'p1' } }),
  call('identify', { userId: 'ada', anonymousId: 'ada-phone' }, { traits: { plan: 'pro' } }),
  call('track', { userId: 'ada' }, { event: 'Order Completed', properties: { revenue: 12.5 } }),
  // Two logins that claim one address; later claims of it count under `holder: last`.
  call('identify', { userId: 'grace' }, { traits: { email: 'family@example.com', name: 'Grace' } }),
  call('identify', { userId: 'henry' }, { traits: { email: 'family@example.com', name: 'Henry' } }),
  call(
    'track',
    {},
    { event: 'Newsletter Opened', properties: { email: 'family@example.com' }, anonymousId: 'mailbox' },
  ),
  // Browsers of strangers that all gave the shop's own address: one person until it is blocked.
  ...['a', 'b', 'c', 'd'].flatMap(browser => [
    call('track', { anonymousId: `till-${browser}` }, { event: 'Page' }),
    call('identify', { anonymousId: `till-${browser}` }, { traits: { email: 'shop@example.com', till: browser } }),
  ]),
  // Five addresses on one browser: one person while the limit is five.
  ...[1, 2, 3, 4, 5].map(n =>
    call('identify', { anonymousId: 'library' }, { traits: { email: `reader${n}@example.com`, reader: n } }),
  ),
  // Two browsers that only a number of the club joins.
  call('track', { anonymousId: 'club-1' }, { event: 'Points Earned', properties: { member_no: 'M-7', points: 3 } }),
  call('track', { anonymousId: 'club-2' }, { event: 'Points Earned', properties: { member_no: 'm-7', points: 4 } }),
  // An event with address and phone hangs on the one of the better priority.
  call(
    'identify',
    { anonymousId: 'kiosk' },
    { traits: { email: 'ivan@example.com', phone: '+4915112345678', size: 'L' } },
  ),
  call('track', {}, { anonymousId: 'kiosk', event: 'Called', properties: { phone: '+4915112345678' } }),
  // A tablet that two logins share.
  call('track', { anonymousId: 'tablet' }, { event: 'Page' }),
  call('identify', { userId: 'judy', anonymousId: 'tablet' }, { traits: { name: 'Judy' } }),
  call('track', { anonymousId: 'tablet' }, { event: 'Page' }),
  call('identify', { userId: 'ken', anonymousId: 'tablet' }, { traits: { name: 'Ken' } }),
  call('track', { anonymousId: 'tablet' }, { event: 'Page' }),
  // A company, and somebody of it.
  call('group', { userId: 'judy', groupId: 'acme' }, { traits: { name: 'Acme' } }),
  call('track', { userId: 'judy' }, { event: 'Quote Requested', context: { groupId: 'acme' } }),
  call('alias', { userId: 'ken' }, { previousId: 'ken-old' }),
  call('track', { userId: 'ken-old' }, { event: 'Page' }),
]
