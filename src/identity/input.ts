/** What stands in the log, as identity sees it: in, an entry and the rules; out, its identifiers, or the decision. */
import { isEvent, type LogEntry } from '../spec/event.ts'
import {
  extractIdentifiers,
  type Identifier,
  type IdentityRules,
  identifierKey,
  normaliseIdentifier,
} from '../spec/identifier.ts'
import { type Decision, decisionSchema } from './decision.ts'
import type { IdentityInput } from './resolve-batch.ts'

export function inputOf(entry: LogEntry, rules: IdentityRules): IdentityInput {
  if (!isEvent(entry)) return normalDecision(decisionSchema.parse(entry.decision), rules)
  const { messageId, type, source } = entry
  const { identifiers, previous } = extractIdentifiers(entry, rules)
  return { messageId, at: Date.parse(entry.timestamp), type, source, identifiers, previous }
}

/**
 * What was decided about an identifier holds for it in its new form. Where a split parts identifiers that these rules
 * take for the same, it cannot.
 */
function normalDecision(decision: Decision, rules: IdentityRules): Decision {
  const normal = (identifier: Identifier) => normaliseIdentifier(identifier, rules) ?? identifier
  if (decision.kind === 'undo') return decision
  if (decision.kind === 'merge') return { ...decision, node: normal(decision.node), with: normal(decision.with) }
  const rest = decision.rest.map(normal)
  const stays = new Set(rest.map(identifierKey))
  return { ...decision, rest, out: decision.out.map(normal).filter(one => !stays.has(identifierKey(one))) }
}
