/** In: a life and an instant. Out: what the person tells about themselves when they sign up, buy or write. */
import type { JsonObject } from '../spec/json.ts'
import type { Company } from './households.ts'
import { employmentAt } from './people.ts'
import type { Life, Visit } from './plan.ts'
import { planted } from './planted.ts'
import type { Stream } from './random.ts'

/** The address that the person gives the shop: at work if they buy for a company, else their own. */
export const contactEmail = (life: Life, at: number): string => {
  const { person } = life
  const job = person.buysForCompany ? employmentAt(person, at) : null
  return job ? job.email : person.email
}

/** As somebody types it: now and then with capitals, as phones put them. */
export const untidy = (email: string, stream: Stream): string =>
  stream.chance(planted.faults.untidyShare) ? email.charAt(0).toUpperCase() + email.slice(1) : email

export const companyTraits = (company: Company): JsonObject => ({
  name: company.name,
  domain: company.domain,
  industry: company.industry,
  employees: company.employees,
  plan: company.plan,
  country: company.country,
  ...(company.switchboard === null ? {} : { phone: company.switchboard }),
})

/** Traits of a new account. Occupation and income come from a survey that not everybody fills in. */
export const accountTraits = (life: Life, at: number): JsonObject => {
  const { person } = life
  const job = employmentAt(person, at)
  return {
    email: contactEmail(life, at),
    firstName: person.name.first,
    lastName: person.name.last,
    name: `${person.name.first} ${person.name.last}`,
    createdAt: new Date(at).toISOString(),
    ...(person.tellsBirthday ? { birthday: person.birthDate } : {}),
    ...(person.tellsGender ? { gender: person.gender } : {}),
    ...(person.isSurveyed
      ? { occupation: person.occupation, incomeBand: person.incomeBand, hasChildren: person.household.hasChildren }
      : {}),
    ...(job && person.buysForCompany ? { company: { id: job.company.groupId, name: job.company.name } } : {}),
  }
}

/** Traits that the checkout asks for. */
export const buyerTraits = (life: Life, visit: Visit, email: string): JsonObject => {
  const { person } = life
  const { address, region } = person.household
  return {
    email,
    firstName: person.name.first,
    lastName: person.name.last,
    name: `${person.name.first} ${person.name.last}`,
    address: { ...address },
    region: region.name,
    ...(person.phone === null ? {} : { phone: person.phone }),
    ...(Number.isFinite(life.subscribedAt) && visit.at >= life.subscribedAt ? { newsletter: true } : {}),
  }
}
