/** What rules make of an event: in, an event read under rules; out, a text that is the same where the event means the same. */
import { isDeepStrictEqual } from 'node:util'
import type { LogEntry } from '../spec/event.ts'
import { type Identifier, type IdentityRules, identifierKey, type NamespaceRule } from '../spec/identifier.ts'
import { compareText } from './evidence.ts'
import { inputOf } from './input.ts'
import type { IdentityEvent, IdentityInput } from './resolve-batch.ts'

/**
 * Which of these events mean something else under `rules` (`inputs`: the entries, read under them) than under `before`,
 * by their place, and the identifiers that they had before.
 */
export function changedReadings(
  entries: { entry: LogEntry }[],
  inputs: IdentityInput[],
  before: IdentityRules,
  rules: IdentityRules,
): { places: number[]; identifiers: Identifier[] } {
  const places: number[] = []
  const identifiers = new Map<string, Identifier>()
  for (const [place, { entry }] of entries.entries()) {
    const was = inputOf(entry, before)
    const is = inputs[place]
    if ('kind' in was || !is || 'kind' in is || readingOf(was, before) === readingOf(is, rules)) continue
    places.push(place)
    for (const identifier of [...was.identifiers, ...(was.previous ?? [])]) {
      identifiers.set(identifierKey(identifier), identifier)
    }
  }
  return { places, identifiers: [...identifiers.values()] }
}

/**
 * Two readings of an event that are equal give it the same nodes, hub and company, and keep what it says in the same way.
 * Limits, holders and the like decide only whom the nodes lead to.
 */
function readingOf({ identifiers, previous = [] }: IdentityEvent, rules: IdentityRules): string {
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
