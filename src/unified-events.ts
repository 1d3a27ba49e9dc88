/** What identity found out about events comes in; the events as profiles take them go out. Pure. */
import type { LoggedEntry } from './events/index.ts'
import type { IdentityInput, ResolvedEvent } from './identity/index.ts'
import type { UnifiedEvent } from './profiles/index.ts'
import { isEvent } from './spec/event.ts'
import type { IdentityRules } from './spec/identifier.ts'

/** All three lists are of the same entries, in the same order. Decisions are no events. */
export function unifiedEvents(
  entries: LoggedEntry[],
  inputs: IdentityInput[],
  resolved: ResolvedEvent[],
  rules: IdentityRules,
): UnifiedEvent[] {
  return entries.flatMap(({ entry }, index): UnifiedEvent[] => {
    const input = inputs[index]
    const found = resolved[index]
    if (!isEvent(entry) || !input || 'kind' in input || !found) return []
    const classes = input.identifiers.map(({ namespace }) => rules.namespaces[namespace]?.class)
    // The hub is of the best class there is; only an event with nothing but devices hangs on one.
    const isOnDevice = classes.every(one => one === 'device' || one === 'none' || one === undefined)
    const keeping = isOnDevice ? 'by-message' : 'by-value'
    return [{ event: entry, hub: found.hub, group: found.group, profile: found.profile, keeping }]
  })
}
