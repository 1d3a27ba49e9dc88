/** What clients do wrong and how people are known: each planted share is held against what the calls and lives show. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../spec/json.ts'
import { type SegmentCall, type SimulatedSource, sources } from './calls.ts'
import { simulate, truth } from './index.ts'
import { planLife } from './life.ts'
import { asciiOf } from './names.ts'
import { companyPhone, personPhone, SWITCHBOARDS_MAX, samplePhones } from './phones.ts'
import type { Life, Visit } from './plan.ts'
import { planted } from './planted.ts'
import { createWorld } from './world.ts'

const options = { seed: 2026, people: 4000, startAt: Date.UTC(2024, 8, 2), days: 365 }
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Fails when a share is further from its planted value than 4.5 standard errors: once in 150,000 by chance. */
const expectShare = (name: string, counted: { hits: number; of: number }, share: number, slack = 0): void => {
  expect(counted.of, name).toBeGreaterThan(20)
  const error = 4.5 * Math.sqrt((share * (1 - share)) / counted.of) + slack
  const found = counted.hits / counted.of
  expect(Math.abs(found - share), `${name}: ${found.toFixed(4)}, planted ${share}`).toBeLessThanOrEqual(error)
}

const count = <Item>(items: Iterable<Item>, isHit: (item: Item) => boolean): { hits: number; of: number } => {
  const counted = { hits: 0, of: 0 }
  for (const item of items) {
    counted.of += 1
    if (isHit(item)) counted.hits += 1
  }
  return counted
}

interface Met {
  calls: number
  repeated: number
  late: { hits: number; of: number }
  bySource: Map<SimulatedSource, number>
  events: Map<string, number>
  userIdsByDevice: Map<string, Set<string>>
  peopleByDevice: Map<string, Set<number>>
  localHours: number[]
  samples: Map<string, SegmentCall>
}

const met: Met = {
  calls: 0,
  repeated: 0,
  late: { hits: 0, of: 0 },
  bySource: new Map(),
  events: new Map(),
  userIdsByDevice: new Map(),
  peopleByDevice: new Map(),
  localHours: Array.from({ length: 24 }, () => 0),
  samples: new Map(),
}
const lives: Life[] = []
const known = truth(options)

const add = <Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void => {
  map.set(key, (map.get(key) ?? new Set()).add(value))
}

beforeAll(() => {
  const world = createWorld(options)
  for (let person = 0; person < options.people; person += 1) lives.push(planLife(world, person))
  const seen = new Set<string>()
  for (const { source, call } of simulate(options)) {
    if (seen.has(call.messageId)) {
      met.repeated += 1
      continue
    }
    seen.add(call.messageId)
    met.calls += 1
    met.bySource.set(source, (met.bySource.get(source) ?? 0) + 1)
    const name = call.event ?? call.type
    met.events.set(name, (met.events.get(name) ?? 0) + 1)
    met.samples.set(name, call)
    if (source !== 'mobile-app') {
      met.late.of += 1
      if (Date.parse(call.sentAt) - Date.parse(call.timestamp) > 5 * MINUTE_MS) met.late.hits += 1
    }
    if (call.anonymousId !== undefined) {
      if (call.userId !== undefined) add(met.userIdsByDevice, call.anonymousId, call.userId)
      add(met.peopleByDevice, call.anonymousId, known.personOf(call.messageId) ?? -1)
    }
    const hour = (new Date(call.timestamp).getUTCHours() + 1) % 24
    if (source === 'website') met.localHours[hour] = (met.localHours[hour] ?? 0) + 1
  }
}, 60_000)

const visits = (): Visit[] => lives.flatMap(life => life.episodes.filter(episode => episode.kind === 'visit'))

describe('faults', () => {
  test('repeat and delay calls at the planted rates', () => {
    const { faults } = planted
    expectShare('repeated', { hits: met.repeated, of: met.calls }, faults.duplicateShare)
    // A late call is late by minutes at least in 99.5 of 100 cases.
    expectShare('late', met.late, faults.lateShare, 0.0002)
  })

  test('put clocks wrong, zero ids, hold calls back and send junk logins at the planted rates', () => {
    const { faults } = planted
    const devices = lives.flatMap(life => life.devices.filter(device => !device.isShared))
    expectShare(
      'skewed',
      count(devices, device => device.skewMs !== 0 && device.skewMs > -DAY_MS),
      faults.skewedDeviceShare,
    )
    expectShare(
      'dead clock',
      count(devices, device => device.skewMs <= -DAY_MS),
      faults.deadClockShare,
    )
    const apps = devices.filter(device => device.kind === 'app')
    expectShare(
      'buggy apps',
      count(apps, device => device.isBuggy),
      faults.buggyAppShare,
    )
    const anonymous = visits().filter(
      visit => visit.device.source === 'website' && !visit.device.isShared && visit.userId === null,
    )
    expectShare(
      'zeroed',
      count(anonymous, visit => visit.isZeroed),
      faults.zeroedVisitShare,
    )
    const inApp = visits().filter(
      visit => visit.device.kind === 'app' && visit.purpose !== 'buy' && visit.signIn === 'none',
    )
    expectShare(
      'offline',
      count(inApp, visit => visit.isOffline),
      faults.offlineVisitShare,
    )
    expect(met.peopleByDevice.get('00000000-0000-0000-0000-000000000000')?.size ?? 0).toBeGreaterThan(5)
    const nulls = [...met.userIdsByDevice.values()].filter(userIds => userIds.has('null'))
    expect(nulls.length).toBeGreaterThan(10)
  })
})

describe('people', () => {
  test('have the planted demographics', () => {
    const { people } = planted
    const truths = lives.map(life => life.person)
    expectShare(
      'existing',
      count(truths, person => person.isExisting),
      people.existingShare,
    )
    for (const [band, share] of Object.entries(people.ageBandShares)) {
      expectShare(
        band,
        count(truths, person => person.ageBand === band),
        share,
      )
    }
    for (const [gender, share] of Object.entries(people.genderShares)) {
      expectShare(
        gender,
        count(truths, person => person.gender === gender),
        share,
      )
    }
    const managers = truths.filter(person => person.occupation === 'manager')
    expectShare(
      'rich managers',
      count(managers, person => person.incomeBand === 'high'),
      people.incomeShares.manager[2],
    )
    const workers = truths.filter(person => person.occupation !== 'student' && person.occupation !== 'retired')
    expectShare(
      'companies',
      count(workers, person => person.employments.length > 0),
      people.companyShareOfWorkers,
    )
    const employed = workers.filter(person => person.employments.length > 0)
    expectShare(
      'buyers',
      count(employed, person => person.buysForCompany),
      people.companyBuyerShare,
    )
    expectShare(
      'survey',
      count(truths, person => person.isSurveyed),
      people.surveyShare,
    )
    for (const person of truths) {
      const age = (options.startAt - Date.parse(person.birthDate)) / (365.25 * DAY_MS)
      const [low, high] = { '18-29': [18, 30], '30-44': [30, 45], '45-59': [45, 60], '60+': [60, 85] }[person.ageBand]
      expect(age).toBeGreaterThanOrEqual(low ?? 0)
      expect(age).toBeLessThanOrEqual((high ?? 0) + 0.01)
    }
  })

  test('live in households that agree about who belongs to them', () => {
    for (const { person } of lives) {
      expect(person.household.members).toContain(person.index)
      for (const member of person.household.members) {
        expect(lives[member]?.person.household).toEqual(person.household)
      }
    }
    const blocks = lives.filter(life => life.person.index % 4 === 0)
    const sizes = (block: Life): string => {
      const found = [0, 1, 2, 3].map(step => lives[block.person.index + step]?.person.household.id)
      return [...new Set(found)].map(id => found.filter(other => other === id).length).join()
    }
    for (const { sizes: pattern, share } of planted.people.householdPatterns) {
      expectShare(
        `households ${pattern}`,
        count(blocks, block => sizes(block) === pattern.join()),
        share,
      )
    }
  })

  test('have names that are hard on interfaces, seldom', () => {
    const { rightToLeftNameShare, emojiNameShare, longNameShare } = planted.people
    const world = createWorld({ ...options, people: 30_000 })
    const names = Array.from({ length: 30_000 }, (_, index) => planLife(world, index).person.name)
    expectShare(
      'right to left',
      count(names, name => /[\u0590-\u06ff]/.test(name.first)),
      rightToLeftNameShare,
    )
    expectShare(
      'emoji',
      count(names, name => /\p{Extended_Pictographic}|\p{RI}/u.test(name.first)),
      emojiNameShare,
    )
    expectShare(
      'long',
      count(names, name => name.last.startsWith('von ')),
      longNameShare,
    )
    expect(asciiOf('Håkon')).toBe('hakon')
    expect(asciiOf('نور')).toBe('guest')
  }, 30_000)

  test('write from made-up domains only, each from an address of their own', () => {
    const emails = lives.flatMap(({ person }) => [person.email, ...person.employments.map(job => job.email)])
    for (const email of emails) expect(email).toMatch(/^[a-z]+\.[a-z]+\.[a-z0-9]+@[a-z0-9-]+\.example\.(com|org|net)$/)
    expect(new Set(lives.map(({ person }) => person.email)).size).toBe(lives.length)
    expect(new Set(lives.map(({ person }) => person.typoEmail)).size).toBe(lives.length)
    for (const { person } of lives) expect(person.typoEmail).not.toBe(person.email)
  })

  test('have phones that are valid, reserved for fiction and nobody else’s', () => {
    for (const phone of samplePhones())
      expect([phone, parsePhoneNumberFromString(phone)?.isValid()]).toEqual([phone, true])
    const countries = ['SE', 'DE', 'FR', 'GB'] as const
    const given = new Map<string, number>()
    for (let index = 0; index < 60_000; index += 1) {
      const phone = personPhone(countries[index % 4] ?? 'GB', index)
      if (phone === null) continue
      expect(given.has(phone)).toBe(false)
      given.set(phone, index)
    }
    expect(given.size).toBeGreaterThan(49_000)
    expect(personPhone('GB', 3_000_000)).toBeNull()
    expect(companyPhone(SWITCHBOARDS_MAX - 1)).not.toBeNull()
    expect(companyPhone(SWITCHBOARDS_MAX)).toBeNull()
    expectShare(
      'phones',
      count(lives, life => life.person.phone !== null),
      planted.people.phoneShare,
    )
  })
})

describe('identity', () => {
  test('is as hard as planted: accounts, devices that never sign in, shared tablets, second accounts, aliases', () => {
    const { identity } = planted
    const own = lives.flatMap(life => life.devices.filter(device => !device.isShared))
    expectShare(
      'never signs in',
      count(own, device => !device.signsIn),
      identity.neverLogsInShare,
    )
    const together = lives.filter(
      life => life.person.household.members[0] === life.person.index && life.person.household.members.length > 1,
    )
    expectShare(
      'tablets',
      count(together, life => life.person.household.sharesTablet),
      identity.sharedTabletShare,
    )
    const onTablet = visits().filter(
      visit => visit.device.isShared && visit.purpose !== 'buy' && visit.signIn !== 'sign-up',
    )
    const withAccount = onTablet.filter(visit =>
      lives.some(life => life.episodes.includes(visit) && life.accountAt < visit.at && visit.purpose === 'browse'),
    )
    expectShare(
      'tablet logins',
      count(withAccount, visit => visit.signIn === 'login'),
      identity.tabletLoginShare,
    )
    const tablets = [...met.userIdsByDevice.values()].filter(ids => ids.size > 1)
    expect(tablets.length).toBeGreaterThan(20)
    const seconds = lives.filter(life => Number.isFinite(life.secondAccountAt))
    expect(seconds.length).toBeGreaterThan(15)
    expectShare(
      'aliases',
      count(seconds, life => Number.isFinite(life.aliasAt)),
      identity.aliasShare,
    )
    expect(met.events.get('alias') ?? 0).toBeGreaterThan(3)
  })

  test('has a kiosk that a crowd uses and cookies that are renewed', () => {
    const crowds = [...met.peopleByDevice.values()].filter(people => people.size > 50)
    expect(crowds.length).toBeGreaterThanOrEqual(3)
    const browsers = lives
      .filter(life => !life.person.isExisting)
      .flatMap(life => life.devices.filter(device => device.kind === 'laptop'))
    const lifetimes = browsers.flatMap(device =>
      device.renewals.slice(1).map((at, index) => at - (device.renewals[index] ?? 0)),
    )
    expect(lifetimes.length).toBeGreaterThan(500)
    const shared = [...met.peopleByDevice.values()].filter(people => people.size > 1)
    expect(shared.length).toBeGreaterThan(100)
  })

  test('uses every channel but the CRM’s own, under the names of the specs', () => {
    expect([...met.bySource.keys()].sort()).toEqual([...sources].filter(source => source !== 'crm').sort())
    const expected = [
      'page',
      'screen',
      'identify',
      'group',
      'alias',
      'Product Viewed',
      'Product List Viewed',
      'Products Searched',
    ]
      .concat([
        'Product Added',
        'Cart Viewed',
        'Checkout Started',
        'Payment Info Entered',
        'Order Completed',
        'Order Refunded',
      ])
      .concat([
        'Coupon Applied',
        'Signed Up',
        'Signed In',
        'Signed Out',
        'Newsletter Subscribed',
        'List Mailed',
        'Product Updated',
      ])
      .concat([
        'Email Delivered',
        'Email Bounced',
        'Email Opened',
        'Email Link Clicked',
        'Unsubscribed',
        'Campaign Assigned',
      ])
      .concat(['Call Completed', 'Call Missed', 'Ticket Opened', 'Ticket Solved', 'Ticket Rated', 'Comment Added'])
    expect([...met.events.keys()].sort()).toEqual(expected.sort())
  })

  test('shows who spoke with whom: parts of talk within the call', () => {
    const call = met.samples.get('Call Completed')
    const participants = (call?.properties?.participants ?? []) as JsonObject[]
    const talk = participants.reduce((sum, participant) => sum + Number(participant.talk_seconds), 0)
    expect(participants.map(participant => participant.role)).toEqual(['agent', 'customer'])
    expect(talk).toBeLessThanOrEqual(Number(call?.properties?.duration_seconds))
  })
})

describe('time', () => {
  test('of day is when people are awake', () => {
    const total = met.localHours.reduce((sum, hour) => sum + hour, 0)
    const night = met.localHours.slice(1, 6).reduce((sum, hour) => sum + hour, 0)
    const evening = met.localHours.slice(18, 23).reduce((sum, hour) => sum + hour, 0)
    expect(night / total).toBeLessThan(0.04)
    expect(evening / total).toBeGreaterThan(0.3)
  })

  test('of week keeps the shop’s people at home on Saturday and Sunday', () => {
    const working = lives.flatMap(life =>
      life.episodes.filter(
        episode => episode.kind === 'call' || (episode.kind === 'ticket' && episode.step === 'solved'),
      ),
    )
    expect(working.length).toBeGreaterThan(100)
    const weekend = working.filter(episode => [0, 6].includes(new Date(episode.at).getUTCDay()))
    // Only where a call would come before its order it waits less than a working day.
    expect(weekend.length / working.length).toBeLessThan(0.02)
  })
})
