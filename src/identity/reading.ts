/** What rules make of an event: in, an event read under rules; out, a text that is the same where the event means the same. */
import { isDeepStrictEqual } from 'node:util'
import { type IdentityRules, identifierKey, type NamespaceRule } from '../spec/identifier.ts'
import { compareText } from './evidence.ts'
import type { IdentityEvent } from './resolve-batch.ts'

/**
 * Two readings of an event that are equal give it the same nodes, hub and company, and keep what it says in the same way.
 * Limits, holders and the like decide only whom the nodes lead to.
 */
export function readingOf({ identifiers, previous = [] }: IdentityEvent, rules: IdentityRules): string {
  const read = identifiers.map(identifier => {
    const { class: kind = 'none', priority = 0 } = rules.namespaces[identifier.namespace] ?? {}
    return { kind, priority, key: identifierKey(identifier) }
  })
  const persons = read.filter(one => one.kind !== 'none')
  persons.sort((x, y) => x.priority - y.priority || compareText(x.key, y.key))
  const others = read.filter(one => one.kind === 'none')
  const named = [...persons, ...others].map(({ kind, key }) => [kind, key])
  return JSON.stringify([named, previous.map(identifierKey)])
}

/** True when no event can mean anything else under the one than under the other. */
export function isReadAlike(x: IdentityRules, y: IdentityRules): boolean {
  return isDeepStrictEqual(readersOf(x), readersOf(y))
}

const readersOf = ({ namespaces, phoneCountry }: IdentityRules) => ({
  phoneCountry,
  namespaces: Object.fromEntries(Object.entries(namespaces).map(([name, rule]) => [name, readerOf(rule)])),
})

/** A rule without what only limits who may have an identifier. */
const readerOf = ({ limit: _limit, window: _window, holder: _holder, ...reader }: NamespaceRule) => reader
