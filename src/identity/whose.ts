/** Events come in; the profile that each belongs to, as things stand now, goes out. */
import type { Context } from '../context.ts'
import type { Event } from '../spec/event.ts'
import { extractIdentifiers, type Identifier, type IdentityRules, identifierKey } from '../spec/identifier.ts'
import { compareText } from './evidence.ts'
import { readWorkspace } from './find.ts'
import { profileIdOf, publicIdOf } from './profile-id.ts'
import { readProfilesAt } from './store-whose.ts'

/** `p_…` for each event in order; null for one that belongs to nobody, or to somebody who is not known yet. */
export async function profilesOfEvents(
  context: Pick<Context, 'postgres' | 'now'>,
  workspaceId: number,
  events: Event[],
): Promise<(string | null)[]> {
  const workspace = await readWorkspace(context, workspaceId)
  if (!workspace || events.length === 0) return events.map(() => null)
  const hubs = events.map(event => hubOf(event, workspace.rules))
  const named = events.flatMap((event, index) => {
    const hub = hubs[index]
    return hub ? [{ index, id: publicIdOf(workspace.identityKey, hub), at: Date.parse(event.timestamp) }] : []
  })
  const profiles = await readProfilesAt(
    context.postgres,
    workspaceId,
    named.map(({ id }) => id),
    named.map(({ at }) => at),
  )
  const found = new Map(named.map(({ index }, place) => [index, profiles[place]]))
  return events.map((_, index) => {
    const publicId = found.get(index)
    return publicId ? profileIdOf(publicId) : null
  })
}

/** The identifier that an event hangs on: of the best priority, as `byPriority` orders nodes. */
function hubOf(event: Event, rules: IdentityRules): Identifier | undefined {
  const ranked = extractIdentifiers(event, rules).identifiers.flatMap(identifier => {
    const rule = rules.namespaces[identifier.namespace]
    return rule && rule.class !== 'none' ? [{ identifier, key: identifierKey(identifier), rule }] : []
  })
  ranked.sort((x, y) => x.rule.priority - y.rule.priority || compareText(x.key, y.key))
  return ranked[0]?.identifier
}
