/**
 * In: a world and an index. Out: one person: demographics, home, work, what they are called by which system, and how
 * they feel about vouchers. Nothing here depends on any other person, or on how many there are.
 */
import { atSuitableHour, instantAt, tradingTime } from './calendar.ts'
import { type Company, describeCompany, describeHousehold, type Household, loyaltyId } from './households.ts'
import { personalMailDomains } from './name-data.ts'
import { asciiOf, type PersonName, personName } from './names.ts'
import { personPhone } from './phones.ts'
import {
  type AgeBand,
  ageBands,
  DAY_MS,
  type DiscountClass,
  discountClasses,
  type Gender,
  genders,
  type IncomeBand,
  incomeBands,
  type Occupation,
  occupations,
  PRIOR_DAYS,
  planted,
  type TasteGroup,
} from './planted.ts'
import { cumulate, hex32, purposes, Stream } from './random.ts'
import { categoryShares } from './tastes.ts'
import type { World } from './world.ts'

export interface Employment {
  company: Company
  email: string
  from: number
  to: number
}

/** A value that stands for the person during [from, to), ms. */
export interface Held {
  value: string
  from: number
  to: number
}

export interface Person {
  index: number
  household: Household
  name: PersonName
  gender: Gender
  birthDate: string
  ageBand: AgeBand
  occupation: Occupation
  incomeBand: IncomeBand
  tasteGroups: readonly TasteGroup[]
  /** Running sums of the shares of categories. */
  categorySums: Float64Array
  discountClass: DiscountClass
  /** First contact with the shop; before the first simulated day for existing customers. */
  joinAt: number
  isExisting: boolean
  employments: readonly Employment[]
  buysForCompany: boolean
  email: string
  typoEmail: string
  usesFamilyMailbox: boolean
  phone: string | null
  userId: string
  secondUserId: string
  loyaltyId: string | null
  /** Whether the loyalty number is entered in the account. */
  linksLoyalty: boolean
  cards: readonly Held[]
  store: number | null
  social: { network: 'instagram' | 'facebook'; id: string; linked: boolean } | null
  /** Chance to open a mail. */
  openRate: number
  heldOutOfDisplay: boolean
  isSurveyed: boolean
  tellsBirthday: boolean
  tellsGender: boolean
}

const ageRanges: Record<AgeBand, readonly [number, number]> = {
  '18-29': [18, 30],
  '30-44': [30, 45],
  '45-59': [45, 60],
  '60+': [60, 85],
}

/** Shares of student, office, manual, professional, manager, retired by age. */
const occupationShares: Record<AgeBand, readonly number[]> = {
  '18-29': [0.4, 0.22, 0.2, 0.15, 0.03, 0],
  '30-44': [0.03, 0.33, 0.24, 0.27, 0.13, 0],
  '45-59': [0.01, 0.32, 0.25, 0.23, 0.18, 0.01],
  '60+': [0, 0.12, 0.1, 0.1, 0.08, 0.6],
}

const USER_ID_BASE = 10_000
const YEAR_DAYS = 365.25
/** Most people's clock; the first contact is drawn before it is known where they live. */
const OFFSET_MINUTES = 60
/** Of each half of an address's name: long names are cut, as people do. */
const MAIL_NAME_MAX = 20
const FIRST_COMPANIES = 3
const PEOPLE_PER_COMPANY = 16

/** First contact alone, without the rest of the person: what the queue of lives starts from. */
export const firstContact = (world: World, index: number): { joinAt: number; isExisting: boolean } => {
  const stream = new Stream(world.key, purposes.person, index)
  const isExisting = stream.chance(planted.people.existingShare)
  const [from, to] = isExisting
    ? [world.startAt - PRIOR_DAYS * DAY_MS, world.startAt]
    : [world.startAt, world.horizonAt]
  const first = tradingTime(world.calendar, from)
  const last = tradingTime(world.calendar, to)
  const drawn = instantAt(world.calendar, first + stream.unit() * (last - first))
  const joinAt = atSuitableHour(stream, drawn, { hours: 'home', offsetMinutes: OFFSET_MINUTES, notBefore: from })
  return { joinAt: Math.min(joinAt, to - 1), isExisting }
}

/** Two letters of the name swapped, never the unique tail: still an address of nobody else. */
const mistype = (email: string, stream: Stream): string => {
  const at = 1 + stream.below(Math.max(1, email.indexOf('.') - 2))
  const [left, right] = [email[at] ?? '', email[at + 1] ?? '']
  if (left === right || right === '.') return email.slice(0, at) + email.slice(at + 1)
  return email.slice(0, at) + right + left + email.slice(at + 2)
}

/** Older companies have more people; without a fixed number of companies, later people may work for newer ones. */
const drawCompany = (world: World, index: number, stream: Stream): number => {
  const bound = world.companies ?? FIRST_COMPANIES + Math.floor(index / PEOPLE_PER_COMPANY)
  return Math.floor(bound * stream.unit() ** 1.5)
}

const employmentsOf = (
  world: World,
  stream: Stream,
  person: { index: number; occupation: Occupation; mailName: string; joinAt: number },
): Employment[] => {
  const works = stream.chance(planted.people.companyShareOfWorkers)
  const changesJob = stream.chance(planted.people.jobChangeShare)
  const changeAt = Math.floor(stream.between(Math.max(person.joinAt, world.startAt), world.horizonAt))
  const companies = [drawCompany(world, person.index, stream), drawCompany(world, person.index, stream)] as const
  if (!works || person.occupation === 'student' || person.occupation === 'retired' || world.companies === 0) return []
  const hold = (index: number, from: number, to: number): Employment => {
    const company = describeCompany(world.key, index)
    return { company, email: `${person.mailName}.${person.index.toString(36)}@${company.domain}`, from, to }
  }
  if (!changesJob || companies[0] === companies[1]) return [hold(companies[0], person.joinAt, Infinity)]
  return [hold(companies[0], person.joinAt, changeAt), hold(companies[1], changeAt, Infinity)]
}

const cardsOf = (world: World, stream: Stream, joinAt: number): Held[] => {
  const renewAt = Math.floor(stream.between(world.startAt, world.horizonAt))
  const renews = stream.chance(planted.identity.cardRenewalShare) && renewAt > joinAt
  const token = (): string => `tok_${hex32(stream.word())}${hex32(stream.word())}`
  const first = token()
  if (!renews) return [{ value: first, from: joinAt, to: Infinity }]
  return [
    { value: first, from: joinAt, to: renewAt },
    { value: token(), from: renewAt, to: Infinity },
  ]
}

const genderSums = cumulate(genders.map(name => planted.people.genderShares[name]))
const ageBandSums = cumulate(ageBands.map(name => planted.people.ageBandShares[name]))
const { incomeShares } = planted.people
const { discountClassShares } = planted.causes

const drawGroups = (stream: Stream) => {
  const gender = genders[stream.among(genderSums)] ?? 'other'
  const ageBand = ageBands[stream.among(ageBandSums)] ?? '60+'
  const occupation = occupations[stream.weighted(occupationShares[ageBand])] ?? 'office'
  const incomeBand = incomeBands[stream.weighted(incomeShares[occupation])] ?? 'middle'
  const discountClass = discountClasses[stream.weighted(discountClassShares[incomeBand])] ?? 'indifferent'
  const [youngest, oldest] = ageRanges[ageBand]
  return { gender, ageBand, occupation, incomeBand, discountClass, age: stream.between(youngest, oldest) }
}

const socialOf = (stream: Stream, index: number): Person['social'] => {
  const uses = stream.chance(planted.identity.socialShare)
  const network = stream.pick(['instagram', 'facebook'] as const)
  const linked = stream.chance(planted.identity.socialLinkedShare)
  const id = `${1_784_140_000_000_000 + index * 977 + stream.below(977)}`
  return uses ? { network, id, linked } : null
}

export const describePerson = (world: World, index: number): Person => {
  const { joinAt, isExisting } = firstContact(world, index)
  const stream = new Stream(world.key, purposes.person, index, 1)
  const household = describeHousehold(world.key, index)
  const groups = drawGroups(stream)
  const name = personName(stream, { culture: household.culture, gender: groups.gender, family: household.surname })
  const mailName = `${asciiOf(name.first).slice(0, MAIL_NAME_MAX)}.${asciiOf(name.last).slice(0, MAIL_NAME_MAX)}`
  const email = `${mailName}.${index.toString(36)}@${stream.pick(personalMailDomains)}`
  const employments = employmentsOf(world, stream, { index, occupation: groups.occupation, mailName, joinAt })
  const buysForCompany = stream.chance(planted.people.companyBuyerShare) && employments.length > 0
  const ownLoyalty = stream.chance(planted.identity.loyaltyShare) ? loyaltyId(index, 0, stream.word()) : null
  const isStorePerson = stream.chance(planted.orders.storePeopleShare) && household.region.store !== undefined
  const tasteGroups: TasteGroup[] = [
    `age:${groups.ageBand}`,
    `gender:${groups.gender}`,
    `income:${groups.incomeBand}`,
    `occupation:${groups.occupation}`,
  ]
  if (household.hasChildren) tasteGroups.push('children:yes')
  if (household.region.north) tasteGroups.push('region:north')
  if (buysForCompany) tasteGroups.push('company:yes')
  const phone = stream.chance(planted.people.phoneShare) ? personPhone(household.region.country, index) : null
  return {
    index,
    household,
    name,
    gender: groups.gender,
    birthDate: new Date(world.startAt - groups.age * YEAR_DAYS * DAY_MS).toISOString().slice(0, 10),
    ageBand: groups.ageBand,
    occupation: groups.occupation,
    incomeBand: groups.incomeBand,
    tasteGroups,
    categorySums: cumulate(categoryShares({ tasteGroups })),
    discountClass: groups.discountClass,
    joinAt,
    isExisting,
    employments,
    buysForCompany,
    email,
    typoEmail: mistype(email, stream),
    usesFamilyMailbox: stream.chance(0.5) && household.familyMailbox !== null,
    phone,
    userId: String(USER_ID_BASE + index * 10 + stream.below(5)),
    secondUserId: String(USER_ID_BASE + index * 10 + 5 + stream.below(5)),
    loyaltyId: household.sharedLoyaltyId ?? ownLoyalty,
    cards: cardsOf(world, stream, joinAt),
    store: isStorePerson ? (household.region.store ?? null) : null,
    social: socialOf(stream, index),
    openRate: stream.beta(planted.causes.mail.openA, planted.causes.mail.openB),
    heldOutOfDisplay: stream.chance(planted.causes.displayHoldoutShare),
    isSurveyed: stream.chance(planted.people.surveyShare),
    tellsBirthday: stream.chance(planted.people.birthdayKnownShare),
    linksLoyalty: stream.chance(planted.identity.loyaltyLinkedShare),
    tellsGender: stream.chance(planted.people.genderKnownShare),
  }
}

/** The job at an instant, or null. */
export const employmentAt = (person: Person, at: number): Employment | null =>
  person.employments.find(employment => employment.from <= at && at < employment.to) ?? null

/** The value in force at an instant, or null. */
export const heldAt = (values: readonly Held[], at: number): Held | null =>
  values.find(value => value.from <= at && at < value.to) ?? null
