/**
 * Cases that tempting definitions of identity get wrong, one by one. Each was found in random histories; the numbers
 * are how often the tempting definition failed there.
 */
import { describe, expect, it } from 'vitest'
import { SimulatedStore } from '../../test/identity-store.ts'
import { rebuild, signature, signatureOf } from '../../test/identity-world.ts'
import {
  defaultIdentityRules,
  type Identifier,
  type IdentityRules,
  type NamespaceRule,
  parseIdentifierKey,
} from '../spec/identifier.ts'
import type { Decision } from './decision.ts'
import { IdentityInMemory } from './in-memory.ts'
import { profileAt } from './publish.ts'
import type { IdentityEvent, IdentityInput } from './resolve-batch.ts'

const minute = 60_000
const start = Date.UTC(2025, 0)
const time = (at: number) => start + at * minute

const identifier = (key: string): Identifier => parseIdentifierKey(key) ?? { namespace: '', value: '' }

let messages = 0
function told(type: IdentityEvent['type'], at: number, ...keys: string[]): IdentityEvent {
  messages += 1
  const messageId = `m${String(messages).padStart(6, '0')}`
  return { messageId, at: time(at), type, source: 'web', identifiers: keys.map(identifier) }
}
const seen = (at: number, ...keys: string[]) => told('track', at, ...keys)
const identify = (at: number, ...keys: string[]) => told('identify', at, ...keys)
const alias = (at: number, login: string, previous: string): IdentityEvent => ({
  ...told('alias', at, `user_id:${login}`),
  previous: [identifier(`user_id:${previous}`), identifier(`anonymous_id:${previous}`)],
})

function withEmail(change: Partial<NamespaceRule>): IdentityRules {
  const { email } = defaultIdentityRules.namespaces
  if (!email) throw new Error('e-mail is a namespace')
  return { ...defaultIdentityRules, namespaces: { ...defaultIdentityRules.namespaces, email: { ...email, ...change } } }
}

const head = (at: number) => ({ id: `decision-${at}`, at: time(at), by: 'operator' })
const merge = (at: number, node: [string, number], other: [string, number]): Decision => ({
  ...{ kind: 'merge', ...head(at) },
  ...{ node: identifier(node[0]), nodeSeenAt: time(node[1]) },
  ...{ with: identifier(other[0]), withSeenAt: time(other[1]) },
})
const split = (at: number, out: string[], rest: string[]): Decision => ({
  ...{ kind: 'split', ...head(at), out: out.map(identifier), rest: rest.map(identifier) },
})
const undo = (at: number, taken: Decision): Decision => ({ kind: 'undo', ...head(at), decision: taken.id })

/**
 * Who is who after all this, told at once. The same told one by one, forwards and backwards, by a process that forgets
 * everything in between, must come to the same.
 */
function tell(inputs: IdentityInput[], rules: IdentityRules = defaultIdentityRules) {
  const whole = rebuild(inputs, rules)
  for (const order of [inputs, inputs.toReversed()]) {
    const store = new SimulatedStore()
    for (const input of order) store.resolve(store.open(rules), [input])
    expect(signature(store.whole(rules), inputs, store.refusals)).toEqual(signatureOf(whole, inputs))
  }
  return personsOf(whole)
}

/** Names the person that an identifier leads to at a time, or from the beginning. */
function personsOf({ graph }: IdentityInMemory) {
  return (key: string, at?: number): string | undefined => {
    const node = graph.find(identifier(key))
    return node && graph.node(profileAt(graph, node.id, at === undefined ? node.firstSeenAt : time(at))).key
  }
}

describe('a shared tablet', () => {
  const tablet = 'anonymous_id:tablet'
  const day = [
    seen(0, tablet),
    identify(10, tablet, 'user_id:grace', 'email:grace@example.com'),
    seen(20, tablet),
    identify(30, tablet, 'user_id:ada', 'email:ada@example.com'),
    seen(40, tablet),
  ]

  it('keeps its two people apart, and each anonymous event with the login of its time', () => {
    const who = tell(day)
    expect([0, 10, 20].map(at => who(tablet, at))).toEqual(['user_id:grace', 'user_id:grace', 'user_id:grace'])
    expect([30, 40].map(at => who(tablet, at))).toEqual(['user_id:ada', 'user_id:ada'])
    expect(who('email:grace@example.com')).toBe('user_id:grace')
  })

  it('gives what a late login explains to that login, the middle of a run included (runs of [min, max]: 1.5 % wrong)', () => {
    const who = tell([
      ...day,
      seen(14, tablet, 'user_id:grace'),
      seen(18, tablet, 'user_id:grace'),
      identify(16, tablet, 'user_id:lin'),
    ])
    expect([15, 16, 17, 18, 19].map(at => who(tablet, at))).toEqual(
      ['grace', 'lin', 'lin', 'grace', 'grace'].map(login => `user_id:${login}`),
    )
  })

  it('joins an e-mail address seen on it to the login of that time (one row per pair: 7.5 % wrong)', () => {
    const who = tell([
      ...day,
      seen(12, tablet, 'email:second@example.com'),
      seen(35, tablet, 'email:third@example.com'),
    ])
    expect(who('email:second@example.com')).toBe('user_id:grace')
    expect(who('email:third@example.com')).toBe('user_id:ada')
  })

  it('keeps the part that was cut out of a person out, and slides it to nobody else', () => {
    const who = tell([...day, split(50, [tablet], ['user_id:grace'])])
    expect(who(tablet, 20)).toBe(tablet)
    expect(who(tablet, 40)).toBe('user_id:ada')
  })

  it('becomes contested by an operator as well (3 of 100,000 histories wrong)', () => {
    const grace = [identify(10, tablet, 'user_id:grace'), seen(30, tablet, 'email:x@example.com')]
    const ada = identify(5, 'user_id:ada')
    const given = merge(40, [tablet, 15], ['user_id:ada', 5])
    const again = seen(20, tablet, 'user_id:grace')
    const who = tell([...grace, ada, given, again])
    expect([12, 17, 25].map(at => who(tablet, at))).toEqual(['user_id:grace', 'user_id:ada', 'user_id:grace'])
    expect(who('email:x@example.com')).toBe('user_id:grace')
    expect(tell([...grace, ada, given, again, undo(50, given)])(tablet, 17)).toBe('user_id:grace')
  })
})

describe('a browser before its login', () => {
  it('chains: a browser saw an e-mail address, another browser the same address, then a login', () => {
    const who = tell([
      seen(1, 'anonymous_id:laptop'),
      identify(2, 'anonymous_id:laptop', 'email:ada@example.com'),
      identify(3, 'anonymous_id:phone', 'email:ada@example.com'),
      identify(4, 'anonymous_id:phone', 'user_id:ada'),
    ])
    for (const key of ['anonymous_id:laptop', 'anonymous_id:phone', 'email:ada@example.com']) {
      expect(who(key)).toBe('user_id:ada')
    }
  })

  it('is no limit to how many browsers a person has (the sixth would orphan its events)', () => {
    const browsers = Array.from({ length: 12 }, (_, index) => `anonymous_id:week-${index}`)
    const who = tell(
      browsers.flatMap((browser, at) => [seen(at * 2, browser), identify(at * 2 + 1, browser, 'user_id:ada')]),
    )
    expect(new Set(browsers.map(browser => who(browser)))).toEqual(new Set(['user_id:ada']))
  })

  it('changes its id once, at the first login, and its old id leads there', () => {
    const identity = new IdentityInMemory(defaultIdentityRules)
    identity.resolve([seen(1, 'anonymous_id:laptop')])
    const { profileChanges } = identity.resolve([identify(2, 'anonymous_id:laptop', 'user_id:ada')])
    const keyOf = (node: number) => identity.graph.node(node).key
    expect(
      profileChanges.map(change => (change.kind === 'renamed' ? [keyOf(change.from), keyOf(change.to)] : change)),
    ).toEqual([['anonymous_id:laptop', 'user_id:ada']])
    expect(personsOf(identity)('anonymous_id:laptop')).toBe('user_id:ada')
  })
})

describe('an e-mail address of two logins', () => {
  const both = [
    identify(1, 'user_id:abc123', 'email:jane@example.com'),
    identify(2, 'user_id:abc456', 'email:jane@example.com'),
    seen(3, 'email:jane@example.com'),
  ]

  it('stays with the first, and the other is a person of its own', () => {
    const who = tell(both)
    expect(who('email:jane@example.com')).toBe('user_id:abc123')
    expect(who('user_id:abc456')).toBe('user_id:abc456')
  })

  it('goes to the last where the rules say so', () => {
    expect(tell(both, withEmail({ holder: 'last' }))('email:jane@example.com')).toBe('user_id:abc456')
  })

  it('is not taken by a "send to a friend" form: what somebody says of himself outranks what was seen', () => {
    const who = tell([
      seen(1, 'user_id:ada', 'email:grace@example.com'),
      identify(2, 'user_id:grace', 'email:grace@example.com'),
    ])
    expect(who('email:grace@example.com')).toBe('user_id:grace')
  })

  it('beyond the limit of five stands alone, and its own events stay with it', () => {
    const addresses = Array.from({ length: 6 }, (_, index) => `email:ada${index}@example.com`)
    const who = tell(addresses.map((address, at) => identify(at, 'user_id:ada', address)))
    expect(who('email:ada4@example.com')).toBe('user_id:ada')
    expect(who('email:ada5@example.com')).toBe('email:ada5@example.com')
  })
})

describe('a limit within a window', () => {
  const day = 24 * 60
  const weekly = withEmail({ limit: 1, window: 'weekly' })
  const [first, second] = ['email:a@example.com', 'email:b@example.com']

  it('counts the values first seen within any span of its length', () => {
    const who = tell([identify(0, 'user_id:ada', first), identify(7 * day - 1, 'user_id:ada', second)], weekly)
    expect(who(second)).toBe(second)
    const later = tell([identify(0, 'user_id:ada', first), identify(7 * day, 'user_id:ada', second)], weekly)
    expect(later(second)).toBe('user_id:ada')
  })

  it('holds for people without a login as well', () => {
    const [early, late] = [seen(0, 'anonymous_id:laptop', first), seen(7 * day, 'anonymous_id:laptop', second)]
    expect(tell([early, late], weekly)(second)).toBe(first)
    expect(tell([early, { ...late, at: late.at - 1 }], weekly)(second)).toBe(second)
  })

  it('looks at a value that turns out to be older with other eyes', () => {
    const events = [
      identify(0, 'user_id:ada', first),
      seen(20 * day, 'anonymous_id:laptop', second),
      identify(22 * day, 'anonymous_id:laptop', 'user_id:ada'),
    ]
    expect(tell(events, weekly)(second)).toBe('user_id:ada')
    // The address was seen before, in the week of the first: there is no room for it.
    expect(tell([...events, seen(3 * day, second)], weekly)(second)).toBe(second)
    // And the first turns out to be much older still, so there is.
    expect(tell([...events, seen(3 * day, second), seen(-30 * day, first)], weekly)(second)).toBe('user_id:ada')
  })
})

describe('colleagues, kiosks and lists', () => {
  it('are not joined by their company', () => {
    const who = tell([
      told('group', 1, 'user_id:ada', 'group_id:acme'),
      told('group', 2, 'user_id:grace', 'group_id:acme'),
    ])
    expect([who('user_id:ada'), who('user_id:grace'), who('group_id:acme')]).toEqual([
      'user_id:ada',
      'user_id:grace',
      'group_id:acme',
    ])
  })

  it('are not joined by a browser on which more than fifty addresses were typed', () => {
    const visitors = Array.from({ length: 51 }, (_, index) => `email:visitor${index}@example.com`)
    const few = tell(visitors.slice(0, 2).map((visitor, at) => seen(at, 'anonymous_id:kiosk', visitor)))
    expect(few('email:visitor1@example.com')).toBe(few('email:visitor0@example.com'))
    const many = tell(visitors.map((visitor, at) => seen(at, 'anonymous_id:kiosk', visitor)))
    expect(new Set(visitors.map(visitor => many(visitor))).size).toBe(51)
  })
})

describe('an alias', () => {
  it('joins two logins, whatever the unique rule, and both keep their ids', () => {
    const events = [
      identify(1, 'user_id:old', 'email:old@example.com'),
      identify(2, 'user_id:new', 'email:new@example.com'),
    ]
    const who = tell([...events, alias(3, 'new', 'old')])
    expect([who('user_id:old'), who('user_id:new')]).toEqual(['user_id:old', 'user_id:old'])
  })

  it('names a browser as well as a login: what it did before goes to the login', () => {
    const who = tell([seen(1, 'anonymous_id:laptop'), alias(2, 'ada', 'laptop')])
    expect(who('anonymous_id:laptop')).toBe('user_id:ada')
    expect(who('user_id:laptop')).toBe('user_id:laptop')
  })

  it('of one browser by two people welds nobody together', () => {
    const who = tell([seen(1, 'anonymous_id:tablet'), alias(2, 'ada', 'tablet'), alias(3, 'grace', 'tablet')])
    expect([who('user_id:ada'), who('user_id:grace')]).toEqual(['user_id:ada', 'user_id:grace'])
    expect([who('anonymous_id:tablet', 1), who('anonymous_id:tablet', 4)]).toEqual(['user_id:ada', 'user_id:grace'])
  })
})

describe('a split', () => {
  const together = [
    seen(1, 'anonymous_id:laptop'),
    identify(3, 'anonymous_id:laptop', 'user_id:ada', 'email:a@example.com'),
  ]
  const apart = split(5, ['anonymous_id:laptop'], ['user_id:ada'])

  it('holds against the next events (as deleted links: forgotten in 50 %)', () => {
    const who = tell([
      ...together,
      apart,
      seen(9, 'anonymous_id:laptop', 'user_id:ada'),
      seen(10, 'anonymous_id:laptop'),
    ])
    expect([who('anonymous_id:laptop', 1), who('anonymous_id:laptop', 10)]).toEqual([
      'anonymous_id:laptop',
      'anonymous_id:laptop',
    ])
  })

  it('holds against a third identifier (as a banned pair: re-joined in 13 %)', () => {
    const who = tell([...together, apart, identify(6, 'anonymous_id:laptop', 'email:a@example.com')])
    expect(who('anonymous_id:laptop', 6)).not.toBe(who('user_id:ada'))
  })

  it('leaves a login with the contact it names rather than the device it uses, whichever came first', () => {
    const [laptop, phone] = ['anonymous_id:laptop', 'phone:+14155552671']
    const parted = [seen(1, laptop, phone), split(2, [laptop], [phone])]
    const who = tell([...parted, identify(5, laptop, 'user_id:ada'), identify(9, 'user_id:ada', phone)])
    expect([who(phone), who(laptop, 6)]).toEqual(['user_id:ada', laptop])
  })

  it('gives way to a newer merge, and holds again when that is undone', () => {
    const again = merge(7, ['anonymous_id:laptop', 1], ['user_id:ada', 3])
    expect(tell([...together, apart, again])('anonymous_id:laptop', 2)).toBe('user_id:ada')
    expect(tell([...together, apart, again, undo(8, again)])('anonymous_id:laptop', 2)).toBe('anonymous_id:laptop')
  })

  it('couples what it refuses: a part that leaves lets others in (touched profiles only: 4.4 % wrong)', () => {
    const store = [
      identify(1, 'anonymous_id:one', 'email:x@example.com'),
      identify(2, 'user_id:ada', 'anonymous_id:one'),
      identify(3, 'anonymous_id:two', 'email:x@example.com'),
      identify(4, 'user_id:grace', 'anonymous_id:two'),
    ]
    // The address is Ada's through her browser, so Grace's link to it is refused; parted from Ada, it is Grace's.
    expect(tell(store)('email:x@example.com')).toBe('user_id:ada')
    expect(tell([...store, split(5, ['email:x@example.com'], ['user_id:ada'])])('email:x@example.com')).toBe(
      'user_id:grace',
    )
  })
})

describe('a merge', () => {
  it('of two logins outranks the unique rule, and its undo brings both back', () => {
    const events = [identify(1, 'user_id:ada'), identify(2, 'user_id:ada.work')]
    const one = merge(3, ['user_id:ada', 1], ['user_id:ada.work', 2])
    expect(tell([...events, one])('user_id:ada.work')).toBe('user_id:ada')
    expect(tell([...events, one, undo(4, one)])('user_id:ada.work')).toBe('user_id:ada.work')
  })

  it('of a browser never welds two customers together later (as a forced link: 23 %)', () => {
    const tablet = 'anonymous_id:tablet'
    const events = [seen(1, tablet), identify(2, 'user_id:ada')]
    const given = merge(3, [tablet, 1], ['user_id:ada', 2])
    const who = tell([...events, given, identify(4, tablet, 'user_id:grace')])
    expect([who('user_id:ada'), who('user_id:grace')]).toEqual(['user_id:ada', 'user_id:grace'])
    expect([who(tablet, 1), who(tablet, 5)]).toEqual(['user_id:ada', 'user_id:grace'])
  })

  it('of two contacts obeys the unique rule later: their logins stay apart', () => {
    const events = [seen(1, 'email:a@example.com'), seen(2, 'email:b@example.com')]
    const one = merge(3, ['email:a@example.com', 1], ['email:b@example.com', 2])
    expect(tell([...events, one])('email:b@example.com')).toBe('email:a@example.com')
    const who = tell([
      ...[...events, one],
      ...[identify(4, 'user_id:ada', 'email:a@example.com'), identify(5, 'user_id:grace', 'email:b@example.com')],
    ])
    expect(who('user_id:ada')).not.toBe(who('user_id:grace'))
  })

  it('of a browser takes along what a split has cut out of another', () => {
    const laptop = 'anonymous_id:laptop'
    const events = [seen(1, laptop), identify(2, laptop, 'user_id:ada'), identify(3, 'user_id:grace')]
    const cut = split(4, [laptop], ['user_id:ada'])
    expect(tell([...events, cut])(laptop, 5)).toBe(laptop)
    const who = tell([...events, cut, merge(6, [laptop, 1], ['user_id:grace', 3])])
    expect([who(laptop, 1), who(laptop, 5)]).toEqual(['user_id:grace', 'user_id:grace'])
  })

  it('of two browsers is remembered when one of them turns out to be shared', () => {
    const [laptop, phone] = ['anonymous_id:laptop', 'anonymous_id:phone']
    const events = [seen(1, laptop), seen(2, phone), identify(4, laptop, 'user_id:ada'), seen(6, laptop, 'user_id:ada')]
    const who = tell([...events, merge(3, [laptop, 1], [phone, 2]), identify(5, laptop, 'user_id:grace')])
    expect(who(phone)).toBe('user_id:ada')
    expect([4, 5, 6].map(at => who(laptop, at))).toEqual(['user_id:ada', 'user_id:grace', 'user_id:ada'])
  })

  it('leaves room when it is undone: who was refused for want of it comes in', () => {
    const rules = withEmail({ limit: 2 })
    const events = [
      ...['a', 'b', 'e'].map((name, at) => identify(at, 'user_id:ada', `email:${name}@example.com`)),
      identify(4, 'user_id:grace', 'email:c@example.com'),
      identify(5, 'user_id:grace', 'email:e@example.com', 'anonymous_id:tablet'),
      seen(6, 'anonymous_id:tablet', 'email:f@example.com'),
      seen(7, 'phone:+14155552671'),
    ]
    // While a decision names it, the third address of Ada's is Grace's second, and there is no room for a third of hers.
    const named = merge(8, ['email:e@example.com', 2], ['phone:+14155552671', 7])
    expect(tell([...events, named], rules)('email:f@example.com')).toBe('email:f@example.com')
    expect(tell([...events, named, undo(9, named)], rules)('email:f@example.com')).toBe('user_id:grace')
  })

  it('waits for what it names', () => {
    const one = merge(3, ['user_id:ada', 1], ['user_id:ada.work', 2])
    expect(tell([one, identify(1, 'user_id:ada')])('user_id:ada')).toBe('user_id:ada')
    expect(tell([one, identify(1, 'user_id:ada'), identify(2, 'user_id:ada.work')])('user_id:ada.work')).toBe(
      'user_id:ada',
    )
  })
})

describe('the evidence kept', () => {
  it('is one row for each pair, the first, whatever the order and the size of batches', () => {
    const visits = [5, 3, 9, 1, 7].flatMap(at => [
      identify(at, 'user_id:ada', 'anonymous_id:laptop', 'email:a@example.com'),
      seen(at, 'email:b@example.com', 'anonymous_id:phone'),
      alias(at, 'ada', 'old'),
    ])
    for (const size of [1, 2, visits.length]) {
      const store = new SimulatedStore()
      for (let from = 0; from < visits.length; from += size) {
        store.resolve(store.open(defaultIdentityRules), visits.slice(from, from + size))
      }
      expect(store.rows.map(row => [row.kind, (row.at - start) / minute])).toEqual([
        ...[
          ['claim', 1],
          ['claim', 1],
          ['claim', 1],
        ],
        ...[
          ['link', 1],
          ['alias', 1],
        ],
      ])
    }
  })
})

describe('a late login on a kiosk with thousands', () => {
  it('recomputes a handful of vertices, not all its owners (5,003 and 20 ms)', () => {
    const identity = new IdentityInMemory(defaultIdentityRules)
    const visits = Array.from({ length: 2_000 }, (_, index) =>
      identify(index * 10, `user_id:visitor${index}`, 'anonymous_id:kiosk', 'email:desk@example.com'),
    )
    identity.resolve(visits)
    const late = identity.resolve([identify(5, 'user_id:late', 'anonymous_id:kiosk', 'email:desk@example.com')])
    expect(late.refusals.nodes.length).toBeLessThan(8)
    expect(late.touchedProfiles.size).toBeLessThan(5)
  })
})
