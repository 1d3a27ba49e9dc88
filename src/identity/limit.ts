/**
 * How many values of a namespace a person may have: in, values and a rule; out, whether they fit. A limit with a window
 * holds within every span of that length, by the time each value was first seen.
 */
import type { LimitWindow, NamespaceRule } from '../spec/identifier.ts'
import type { NodeRecord } from './evidence.ts'

const day = 86_400_000
const windowMs: Record<LimitWindow, number> = {
  ever: Number.POSITIVE_INFINITY,
  weekly: 7 * day,
  monthly: 30 * day,
  annually: 365 * day,
}

/** True when no span of the rule's length holds more values than its limit. */
export function fits(values: NodeRecord[], rule: NamespaceRule): boolean {
  const { limit } = rule
  if (limit === undefined || values.length <= limit) return true
  const times = values.map(value => value.firstSeenAt).sort((x, y) => x - y)
  return times.every((first, index) => {
    const last = times[index + limit]
    return last === undefined || last - first >= windowMs[rule.window]
  })
}

/** True when no span that holds this value holds as many of the others as its limit. */
export function fitsBeside(value: NodeRecord, others: NodeRecord[], rule: NamespaceRule): boolean {
  const { limit } = rule
  if (limit === undefined || others.length < limit) return true
  const at = value.firstSeenAt
  const times = others.map(other => other.firstSeenAt).sort((x, y) => x - y)
  return times.every((first, index) => {
    const last = times[index + limit - 1]
    return last === undefined || Math.max(last, at) - Math.min(first, at) >= windowMs[rule.window]
  })
}
