/**
 * In: a seed and the index of a person or company. Out: the household a person lives in and the companies there are.
 *
 * Blocks of four neighbouring indices are cut into households, so that a person's household never depends on how many
 * people are simulated.
 */
import { slugOf } from './catalogue.ts'
import {
  type CultureName,
  companyCultures,
  companyTypes,
  countries,
  legalForms,
  personalMailDomains,
  type RegionRow,
  regionRows,
  streetEnds,
  streetStarts,
} from './name-data.ts'
import { asciiOf, surname } from './names.ts'
import { type Country, companyPhone } from './phones.ts'
import { planted } from './planted.ts'
import { cumulate, type Key, purposes, Stream } from './random.ts'

const BLOCK = 4
const PATTERN_PART = 99
const CHILDREN_SHARE_ALONE = 0.1
const CHILDREN_SHARE_TOGETHER = 0.5
const COMPANY_NUMBER_BASE = 1000
const HOUSES_PER_STREET = 120

export interface Address {
  street: string
  city: string
  postalCode: string
  country: string
}

export interface Household {
  id: string
  /** Index of its first member: the name of its streams. */
  first: number
  members: readonly number[]
  region: RegionRow
  culture: CultureName
  surname: string
  address: Address
  ip: string
  hasChildren: boolean
  sharesTablet: boolean
  familyMailbox: string | null
  sharedLoyaltyId: string | null
}

const { householdPatterns } = planted.people
const patternSums = cumulate(householdPatterns.map(row => row.share))
const regionSums = cumulate(regionRows.map(row => row.share))

/** The members' indices of the household that `index` belongs to. */
const membersOf = (key: Key, index: number): number[] => {
  const block = Math.floor(index / BLOCK)
  const drawn = new Stream(key, purposes.household, block, PATTERN_PART).among(patternSums)
  let first = block * BLOCK
  for (const size of householdPatterns[drawn]?.sizes ?? []) {
    if (index < first + size) return Array.from({ length: size }, (_, member) => first + member)
    first += size
  }
  return [index]
}

/** An address kept for documentation: RFC 5737 for half of them, RFC 3849 for the rest. */
export const documentationIp = (word: number): string => {
  if (word % 2 === 0) return `203.0.113.${1 + ((word >>> 8) % 254)}`
  const [high, low] = [word >>> 16, word & 0xffff]
  return `2001:db8:${high.toString(16)}:${low.toString(16)}::1`
}

const describeHome = (stream: Stream, region: RegionRow): Address => ({
  street: `${stream.pick(streetStarts)} ${stream.pick(streetEnds)} ${1 + stream.below(HOUSES_PER_STREET)}`,
  city: stream.pick(region.cities),
  postalCode: String(10_000 + stream.below(90_000)),
  country: countries[region.country].name,
})

export const describeHousehold = (key: Key, index: number): Household => {
  const members = membersOf(key, index)
  const first = members[0] ?? index
  const together = members.length > 1
  const stream = new Stream(key, purposes.household, first)
  const region = regionRows[stream.among(regionSums)]
  if (!region) throw new Error('there are no regions')
  const cultures = Object.keys(region.cultureShares) as CultureName[]
  const culture = cultures[stream.weighted(cultures.map(name => region.cultureShares[name] ?? 0))] ?? 'british'
  const family = surname(stream, culture)
  const { familyMailboxShare, sharedTabletShare, sharedLoyaltyCardShare } = planted.identity
  const mailbox = `family.${asciiOf(family)}.${first.toString(36)}@${stream.pick(personalMailDomains)}`
  const loyaltyWord = stream.word()
  return {
    id: `household-${first}`,
    first,
    members,
    region,
    culture,
    surname: family,
    address: describeHome(stream, region),
    ip: documentationIp(stream.word()),
    hasChildren: stream.chance(together ? CHILDREN_SHARE_TOGETHER : CHILDREN_SHARE_ALONE),
    sharesTablet: stream.chance(sharedTabletShare) && together,
    familyMailbox: stream.chance(familyMailboxShare) && together ? mailbox : null,
    sharedLoyaltyId: stream.chance(sharedLoyaltyCardShare) && together ? loyaltyId(first, 1, loyaltyWord) : null,
  }
}

/** A loyalty number: a check-like tail makes it look like a card's, the index makes it unique. `kind` 1 is a household's. */
export const loyaltyId = (index: number, kind: 0 | 1, word: number): string =>
  `NWL${String(index * 2 + kind).padStart(8, '0')}${word % 10}`

export interface Company {
  index: number
  groupId: string
  name: string
  domain: string
  industry: string
  employees: number
  country: Country
  plan: 'Fleet' | 'Standard'
  ip: string
  mailbox: string
  switchboard: string | null
}

export const describeCompany = (key: Key, index: number): Company => {
  const stream = new Stream(key, purposes.company, index)
  const [type, industry] = stream.pick(companyTypes)
  const country = stream.pick(['SE', 'DE', 'FR', 'GB'] as const)
  const start = surname(stream, companyCultures[country])
  const domain = `${slugOf(start)}-${(index + 1).toString(36)}.example.com`
  return {
    index,
    groupId: `company-${COMPANY_NUMBER_BASE + index}`,
    name: `${start} ${type} ${legalForms[country]}`,
    domain,
    industry,
    employees: Math.round(stream.logNormal(40, 1.2)) + 2,
    country,
    plan: stream.chance(0.3) ? 'Fleet' : 'Standard',
    ip: `198.51.100.${1 + (index % 254)}`,
    mailbox: `info@${domain}`,
    switchboard: companyPhone(index),
  }
}
