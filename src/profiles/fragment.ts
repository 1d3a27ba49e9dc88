/**
 * What one source said about one identifier. Assertions come in, in any order and any number of times; a fragment that
 * depends only on their set goes out. Pure.
 *
 * Every part of a fragment is a minimum, a maximum, or the top few of a per-key maximum, so merging is commutative,
 * associative and idempotent: late, repeated and reordered events cannot change the outcome.
 */
import type { Json, JsonObject } from '../spec/json.ts'

/** One value that was said, when (epoch ms, event time) and in which message. */
export type Assertion = [value: Json, at: number, messageId: string]

export interface TraitHistory {
  /**
   * Newest first; one per distinct value, with the last time it was said. The first one is what counts, the rest is what
   * it overruled. Empty when all that was said is in `once`.
   */
  latest: Assertion[]
  /** The first assertion of all, where it is not the only one. */
  first?: Assertion
  /** The assertion of the greatest number, where that is not the newest. */
  max?: Assertion
  /** The first of those that count only while nothing else is known (PostHog's `$set_once`). */
  once?: Assertion
}

export type Fragment = { [trait: string]: TraitHistory }

/**
 * What is kept: by value (a person's trait needs to know when its values were last said) or by message (on a device
 * that may turn out to be shared, each assertion belongs to the owner of its time).
 */
export type Keeping = 'by-value' | 'by-message'

/** Distinct values remembered of a trait; a union of values can hold as many. */
const VALUES_MAX = 32
/** Assertions remembered of a trait of a device. */
const MESSAGES_MAX = 100
const TRAITS_MAX = 1_000

/** Event time, then messageId: the total order that every rule uses. */
export const isLater = (a: Assertion, b: Assertion): boolean => a[1] > b[1] || (a[1] === b[1] && a[2] > b[2])

const none: ReadonlySet<string> = new Set()

/** The fragment that one event asserts; traits in `once` shall not overrule anything. Absent values assert nothing; null asserts that there is none. */
export function fragmentOf(
  traits: JsonObject,
  at: number,
  messageId: string,
  once: ReadonlySet<string> = none,
): Fragment {
  const fragment: Fragment = Object.create(null)
  let count = 0
  for (const trait in traits) {
    const value = traits[trait]
    if (value === undefined) continue
    count += 1
    if (count > TRAITS_MAX) break
    const assertion: Assertion = [value, at, messageId]
    fragment[trait] = once.has(trait) ? { latest: [], once: assertion } : { latest: [assertion] }
  }
  return fragment
}

export function mergeFragments(a: Fragment, b: Fragment, keeping: Keeping): Fragment {
  const merged: Fragment = Object.assign(Object.create(null), a)
  for (const trait in b) {
    const theirs = b[trait] as TraitHistory
    const ours = merged[trait]
    merged[trait] = ours ? mergeHistories(ours, theirs, keeping) : theirs
  }
  return merged
}

function mergeHistories(a: TraitHistory, b: TraitHistory, keeping: Keeping): TraitHistory {
  const latest = mergeLatest(a.latest, b.latest, keeping)
  const history: TraitHistory = { latest }
  const all = [...a.latest, ...b.latest]
  const first = pick([...all, a.first, b.first], (x, y) => isLater(y, x))
  if (first && !(latest.length === 1 && isSame(first, latest[0]))) history.first = first
  const max = pick([...all, a.max, b.max].filter(isNumber), isGreater)
  if (max && !isSame(max, latest[0])) history.max = max
  const once = pick([a.once, b.once], (x, y) => isLater(y, x))
  if (once) history.once = once
  return history
}

function mergeLatest(a: Assertion[], b: Assertion[], keeping: Keeping): Assertion[] {
  const newest = new Map<string, Assertion>()
  for (const assertion of [...a, ...b]) {
    const key = keeping === 'by-message' ? assertion[2] : canonical(assertion[0])
    const known = newest.get(key)
    if (!known || isLater(assertion, known)) newest.set(key, assertion)
  }
  const sorted = [...newest.values()].sort((x, y) => (isLater(x, y) ? -1 : 1))
  return sorted.slice(0, keeping === 'by-message' ? MESSAGES_MAX : VALUES_MAX)
}

function pick(
  candidates: (Assertion | undefined)[],
  isBetter: (a: Assertion, b: Assertion) => boolean,
): Assertion | undefined {
  let best: Assertion | undefined
  for (const candidate of candidates) if (candidate && (!best || isBetter(candidate, best))) best = candidate
  return best
}

const isNumber = (assertion: Assertion | undefined): assertion is Assertion => typeof assertion?.[0] === 'number'

/** The greater number; of equals the one said first. */
const isGreater = (a: Assertion, b: Assertion) =>
  (a[0] as number) > (b[0] as number) || (a[0] === b[0] && isLater(b, a))

const isSame = (a: Assertion, b: Assertion | undefined) => b !== undefined && a[1] === b[1] && a[2] === b[2]

/** JSON with sorted keys: equal values, equal text. */
export function canonical(value: Json | undefined): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const parts = Object.keys(value)
    .sort()
    .map(key => `${JSON.stringify(key)}:${canonical(value[key])}`)
  return `{${parts.join(',')}}`
}
