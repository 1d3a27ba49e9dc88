/** Folded profiles come in; rows of ClickHouse's `profiles` go out, the newest version counting. */
import type { ClickHouse } from '../store/clickhouse.ts'
import { asJsonColumn, jsonColumnText } from '../store/json-column.ts'
import type { UnifiedProfile } from './unify.ts'

export async function projectProfiles(
  clickhouse: ClickHouse,
  block: number,
  profiles: UnifiedProfile[],
): Promise<void> {
  if (profiles.length === 0) return
  await clickhouse.insert({
    table: 'profiles',
    token: `profiles:${block}`,
    select: { traits: asJsonColumn('traits') },
    columns: [
      { name: 'workspace_id', type: 'UInt32', values: profiles.map(profile => profile.workspaceId) },
      { name: 'profile', type: 'UInt64', values: profiles.map(profile => profile.node) },
      { name: 'kind', type: 'String', values: profiles.map(profile => profile.kind) },
      { name: 'traits', type: 'String', values: profiles.map(profile => jsonColumnText(profile.traits)) },
      { name: 'first_seen_at', type: 'DateTime64(3)', values: profiles.map(profile => profile.firstSeenAt) },
      { name: 'version', type: 'UInt64', values: profiles.map(() => block) },
      { name: 'is_deleted', type: 'UInt8', values: profiles.map(profile => (profile.isGone ? 1 : 0)) },
    ],
  })
}

/** For a rebuild. */
export async function emptyProjectedProfiles(clickhouse: ClickHouse): Promise<void> {
  await clickhouse.command('truncate table profiles')
}
