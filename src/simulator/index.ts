/**
 * "Northwind", a made-up shop with a sales team: a seeded simulator of everything its clients would send, and the truth
 * behind it. What others may import. See docs/reference/simulator.md.
 */
export { type SegmentCall, type SimulatedCall, type SimulatedSource, sources } from './calls.ts'
export type { Cause } from './orders.ts'
export type { Salesperson } from './planted.ts'
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
export type { SimulationOptions } from './world.ts'
