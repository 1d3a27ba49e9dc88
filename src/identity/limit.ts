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
export function fits(values: NodeRecord[], rule: NamespaceRule | undefined): boolean {
  const limit = rule?.limit
  if (limit === undefined || values.length <= limit) return true
  if (rule?.window === 'ever') return false
  return !overfills(
    values.map(value => value.firstSeenAt),
    limit,
    windowMs[rule?.window ?? 'ever'],
  )
}

/** True when no span that holds this value would hold too many of it and these others. */
export function fitsBeside(value: NodeRecord, others: NodeRecord[], rule: NamespaceRule | undefined): boolean {
  const length = windowMs[rule?.window ?? 'ever']
  const near = others.filter(other => Math.abs(other.firstSeenAt - value.firstSeenAt) < length)
  // A span without the value may be full already; one with it lies among those near, so count it in each.
  if (rule?.limit === undefined || near.length < rule.limit) return true
  if (rule.window === 'ever') return false
  const { limit } = rule
  const starts = [value, ...near].map(one => one.firstSeenAt).filter(from => from <= value.firstSeenAt)
  return starts.every(from => {
    const inSpan = near.filter(other => other.firstSeenAt >= from && other.firstSeenAt < from + length)
    return value.firstSeenAt >= from + length || inSpan.length < limit
  })
}

function overfills(times: number[], limit: number, length: number): boolean {
  const sorted = times.toSorted((x, y) => x - y)
  return sorted.some((from, index) => {
    const beyond = sorted[index + limit]
    return beyond !== undefined && beyond - from < length
  })
}
