/** Events with their identifiers come in; what they add to fragments and counters goes out, one entry a node. Pure. */
import type { Event } from '../spec/event.ts'
import { type Fragment, fragmentOf, type Keeping, mergeFragments } from './fragment.ts'

export interface UnifiedEvent {
  event: Event
  /** The identifier whose fragment the traits go to; 0: nobody's. */
  hub: number
  /** How the hub's class keeps assertions. */
  keeping: Keeping
  /** The company that the event speaks of; 0: none. */
  group: number
  /** The profile that the hub leads to; 0: nobody's. */
  profile: number
}

export interface FragmentDelta {
  node: number
  source: string
  keeping: Keeping
  fragment: Fragment
}

export interface CounterDelta {
  node: number
  events: number
  /** Epoch ms. */
  firstAt: number
  lastAt: number
}

export interface Deltas {
  fragments: FragmentDelta[]
  counters: CounterDelta[]
}

export function deltasOf(events: UnifiedEvent[]): Deltas {
  const fragments = new Map<string, FragmentDelta>()
  const counters = new Map<number, CounterDelta>()
  for (const unified of events) {
    const at = Date.parse(unified.event.timestamp)
    addFragment(fragments, unified, at)
    if (unified.hub !== 0) addCount(counters, unified.hub, at)
    if (unified.group !== 0) addCount(counters, unified.group, at)
  }
  return { fragments: [...fragments.values()], counters: [...counters.values()] }
}

function addFragment(fragments: Map<string, FragmentDelta>, unified: UnifiedEvent, at: number): void {
  const { event } = unified
  const isGroup = event.type === 'group'
  const node = isGroup ? unified.group : unified.hub
  if (node === 0 || event.traits === undefined) return
  const keeping = isGroup ? 'by-value' : unified.keeping
  const fragment = fragmentOf(event.traits, at, event.messageId, onceOf(event))
  const key = `${node} ${event.source}`
  const known = fragments.get(key)
  if (known) known.fragment = mergeFragments(known.fragment, fragment, keeping)
  else fragments.set(key, { node, source: event.source, keeping, fragment })
}

/**
 * Names of traits that shall not overrule anything. What a client repeats in `context.traits` of each call asserts
 * nothing: it is what that device remembers, not what it says.
 */
function onceOf(event: Event): ReadonlySet<string> | undefined {
  const names = event.context?.traitsOnce
  return Array.isArray(names) ? new Set(names.filter(name => typeof name === 'string')) : undefined
}

function addCount(counters: Map<number, CounterDelta>, node: number, at: number): void {
  const known = counters.get(node)
  if (!known) {
    counters.set(node, { node, events: 1, firstAt: at, lastAt: at })
    return
  }
  known.events += 1
  known.firstAt = Math.min(known.firstAt, at)
  known.lastAt = Math.max(known.lastAt, at)
}
