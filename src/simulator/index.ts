/**
 * "Northwind", a made-up shop with a sales team: a seeded simulator of everything its clients would send, and the truth
 * behind it. What others may import. See docs/reference/simulator.md.
 */
export { type SegmentCall, type SimulatedCall, type SimulatedSource, sources } from './calls.ts'
export { personalMailDomains } from './name-data.ts'
export type { Cause } from './orders.ts'
export { PRIOR_DAYS, planted, type Salesperson, SIMULATOR_VERSION, salespeople } from './planted.ts'
export { simulate } from './simulate.ts'
export type { IdentifierTruth } from './true-identifiers.ts'
export {
  type CallTruth,
  type Effect,
  type OrderTruth,
  type PersonTruth,
  type ProductTruth,
  type Totals,
  type TouchTruth,
  type TreatmentTruth,
  type Truth,
  truth,
} from './truth.ts'
export { DAYS_MAX, INTENSITY_MAX, PEOPLE_MAX, type SimulationOptions } from './world.ts'
