/** Changed identifiers come in; ClickHouse's map from identifiers to profiles learns of them at once. */
import type { ClickHouse } from '../store/clickhouse.ts'

/** What a node leads to now: one profile, or 0 and its owners by time (ms, [from, to)). */
export interface MapChange {
  node: number
  profile: number
  owners: { from: number; to: number; profile: number }[]
}

/** Writes the changes of a block and reloads what they touch (a few ms); repeating it changes nothing. */
export async function projectMap(clickhouse: ClickHouse, block: number, changes: MapChange[]): Promise<void> {
  if (changes.length === 0) return
  await insertMap(clickhouse, block, changes)
  if (changes.some(change => change.owners.length > 0)) {
    await clickhouse.command('system reload dictionary node_owner_range')
  }
  await clickhouse.command('system reload dictionary node_profile_new')
}

/** Writes changes that nobody sees before the map is settled: many blocks of them then count at once. */
export async function insertMap(clickhouse: ClickHouse, block: number, changes: MapChange[]): Promise<void> {
  if (changes.length === 0) return
  await clickhouse.insert({
    table: 'node_profile_recent',
    token: `map:${block}`,
    columns: [
      { name: 'node', type: 'UInt64', values: changes.map(change => change.node) },
      { name: 'profile', type: 'UInt64', values: changes.map(change => change.profile) },
      { name: 'version', type: 'UInt64', values: changes.map(() => block) },
    ],
  })
  const owners = changes.flatMap(({ node, owners }) => owners.map(owner => ({ node, ...owner })))
  if (owners.length > 0) {
    await clickhouse.insert({
      table: 'node_owner',
      token: `owners:${block}`,
      columns: [
        { name: 'node', type: 'UInt64', values: owners.map(owner => owner.node) },
        { name: 'from_at', type: 'DateTime64(3)', values: owners.map(owner => owner.from) },
        // The dictionary's ranges include their end.
        { name: 'to_at', type: 'DateTime64(3)', values: owners.map(owner => owner.to - 1) },
        { name: 'profile', type: 'UInt64', values: owners.map(owner => owner.profile) },
        { name: 'version', type: 'UInt64', values: owners.map(() => block) },
      ],
    })
  }
}

/**
 * Moves recent changes into the settled map. Run between blocks, every minute or so: the recent dictionary stays small
 * and quick to reload. A crash in between is harmless: the newest version counts wherever it stands.
 */
export async function settleMap(clickhouse: ClickHouse): Promise<void> {
  const [recent] = await clickhouse.query<{ rows: number }>('select count() as rows from node_profile_recent')
  if (!recent || recent.rows === 0) return
  await clickhouse.command('insert into node_profile select node, profile, version from node_profile_recent')
  await clickhouse.command('system reload dictionary node_owner_range')
  await clickhouse.command('system reload dictionary node_profile_settled')
  await clickhouse.command('truncate table node_profile_recent')
  await clickhouse.command('system reload dictionary node_profile_new')
}

/** For a rebuild. */
export async function emptyMap(clickhouse: ClickHouse): Promise<void> {
  for (const table of ['node_profile', 'node_profile_recent', 'node_owner'])
    await clickhouse.command(`truncate table ${table}`)
  for (const dictionary of ['node_profile_settled', 'node_profile_new', 'node_owner_range']) {
    await clickhouse.command(`system reload dictionary ${dictionary}`)
  }
}
