/** What stands in the log, as identity sees it: in, an entry and the rules; out, its identifiers, or the decision. */
import { isEvent, type LogEntry } from '../spec/event.ts'
import { extractIdentifiers, type IdentityRules } from '../spec/identifier.ts'
import { decisionSchema } from './decision.ts'
import type { IdentityInput } from './resolve-batch.ts'

export function inputOf(entry: LogEntry, rules: IdentityRules): IdentityInput {
  if (!isEvent(entry)) return decisionSchema.parse(entry.decision)
  const { messageId, type, source } = entry
  const { identifiers, previous } = extractIdentifiers(entry, rules)
  return { messageId, at: Date.parse(entry.timestamp), type, source, identifiers, previous }
}
