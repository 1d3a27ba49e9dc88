/** All SQL of fragments, counters and the rows that lists show. */
import type { Queryable } from '../store/postgres.ts'
import type { CounterDelta, FragmentDelta } from './deltas.ts'
import { type TraitPolicies, type TraitPolicy, traitPolicySchema } from './fold.ts'
import type { Fragment, Keeping } from './fragment.ts'

export async function appendFragments(
  client: Queryable,
  workspaceId: number,
  block: number,
  deltas: FragmentDelta[],
): Promise<void> {
  if (deltas.length === 0) return
  await client.query({
    name: 'profiles-append-fragments',
    text: `
      insert into profiles.fragment_delta (workspace_id, node, source, block, is_by_message, traits)
      select $1, node, source, $2, is_by_message, traits
      from unnest($3::bigint[], $4::text[], $5::bool[], $6::text[]) as item (node, source, is_by_message, traits)`,
    values: [
      workspaceId,
      block,
      deltas.map(delta => delta.node),
      deltas.map(delta => delta.source),
      deltas.map(delta => delta.keeping === 'by-message'),
      deltas.map(delta => JSON.stringify(delta.fragment)),
    ],
  })
}

export async function appendCounters(
  client: Queryable,
  workspaceId: number,
  block: number,
  deltas: CounterDelta[],
): Promise<void> {
  if (deltas.length === 0) return
  await client.query({
    name: 'profiles-append-counters',
    text: `
      insert into profiles.counter_delta (workspace_id, node, block, events, first_at, last_at)
      select $1, node, $2, events, to_timestamp(first_at / 1000.0), to_timestamp(last_at / 1000.0)
      from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as item (node, events, first_at, last_at)`,
    values: [
      workspaceId,
      block,
      deltas.map(delta => delta.node),
      deltas.map(delta => delta.events),
      deltas.map(delta => delta.firstAt),
      deltas.map(delta => delta.lastAt),
    ],
  })
}

export interface FragmentRow {
  node: number
  source: string
  keeping: Keeping
  fragment: Fragment
}

type RawFragment = { workspace_id: number; node: number; source: string; is_by_message: boolean; traits: string }

const toFragmentRow = (row: RawFragment): FragmentRow & { workspaceId: number } => ({
  workspaceId: row.workspace_id,
  node: row.node,
  source: row.source,
  keeping: row.is_by_message ? 'by-message' : 'by-value',
  fragment: JSON.parse(row.traits) as Fragment,
})

/** Fragments and what was appended to them since, one row each; the caller merges rows of the same node and source. */
export async function readFragments(client: Queryable, workspaceId: number, nodes: number[]): Promise<FragmentRow[]> {
  if (nodes.length === 0) return []
  const result = await client.query<RawFragment>({
    name: 'profiles-read-fragments',
    text: `
      select workspace_id, node, source, is_by_message, traits from profiles.fragment where workspace_id = $1 and node = any ($2::bigint[])
      union all
      select workspace_id, node, source, is_by_message, traits from profiles.fragment_delta where workspace_id = $1 and node = any ($2::bigint[])`,
    values: [workspaceId, nodes],
  })
  return result.rows.map(toFragmentRow)
}

export interface CounterRow {
  node: number
  events: number
  firstAt: Date
  lastAt: Date
}

export async function readCounters(client: Queryable, workspaceId: number, nodes: number[]): Promise<CounterRow[]> {
  if (nodes.length === 0) return []
  const result = await client.query<{ node: number; events: number; first_at: Date; last_at: Date }>({
    name: 'profiles-read-counters',
    text: `
      select node, sum(events)::bigint as events, min(first_at) as first_at, max(last_at) as last_at
      from (
        select node, events, first_at, last_at from profiles.counter where workspace_id = $1 and node = any ($2::bigint[])
        union all
        select node, events, first_at, last_at from profiles.counter_delta where workspace_id = $1 and node = any ($2::bigint[])
      ) as part
      group by node
      order by node`,
    values: [workspaceId, nodes],
  })
  return result.rows.map(row => ({ node: row.node, events: row.events, firstAt: row.first_at, lastAt: row.last_at }))
}

export interface ProfileRow {
  node: number
  kind: 'person' | 'company'
  publicId: string
  name: string | null
  email: string | null
  phone: string | null
  search: string | null
  firstSeenAt: Date
  lastSeenAt: Date
}

export async function upsertProfiles(client: Queryable, workspaceId: number, rows: ProfileRow[]): Promise<void> {
  if (rows.length === 0) return
  await client.query({
    name: 'profiles-upsert',
    text: `
      insert into profiles.profile (workspace_id, node, kind, public_id, name, email, phone, search, first_seen_at, last_seen_at)
      select $1, item.*
      from unnest($2::bigint[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[]) as item
      on conflict (workspace_id, node) do update set
        name = excluded.name, email = excluded.email, phone = excluded.phone, search = excluded.search,
        first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at`,
    values: [
      workspaceId,
      rows.map(row => row.node),
      rows.map(row => row.kind),
      rows.map(row => row.publicId),
      rows.map(row => row.name),
      rows.map(row => row.email),
      rows.map(row => row.phone),
      rows.map(row => row.search),
      rows.map(row => row.firstSeenAt),
      rows.map(row => row.lastSeenAt),
    ],
  })
}

export async function deleteProfiles(client: Queryable, workspaceId: number, nodes: number[]): Promise<void> {
  if (nodes.length === 0) return
  await client.query('delete from profiles.profile where workspace_id = $1 and node = any ($2::bigint[])', [
    workspaceId,
    nodes,
  ])
}

/** Moves appended counts over, a slice at a time; returns the nodes that were seen again, with when. */
export async function foldCounters(
  client: Queryable,
  limit: number,
): Promise<{ workspace_id: number; node: number; last_at: Date }[]> {
  const result = await client.query<{ workspace_id: number; node: number; last_at: Date }>(
    `
      with taken as (
        delete from profiles.counter_delta
        where (workspace_id, node, block) in (
          select workspace_id, node, block from profiles.counter_delta order by block limit $1 for update skip locked
        )
        returning workspace_id, node, events, first_at, last_at
      ), summed as (
        select workspace_id, node, sum(events) as events, min(first_at) as first_at, max(last_at) as last_at
        from taken group by workspace_id, node order by workspace_id, node
      )
      insert into profiles.counter (workspace_id, node, events, first_at, last_at)
      select workspace_id, node, events, first_at, last_at from summed
      on conflict (workspace_id, node) do update set
        events = counter.events + excluded.events,
        first_at = least(counter.first_at, excluded.first_at),
        last_at = greatest(counter.last_at, excluded.last_at)
      returning workspace_id, node, last_at`,
    [limit],
  )
  return result.rows
}

/** Lists show when somebody was last seen; single events do not rewrite rows, this does, many at once. */
export async function touchProfiles(
  client: Queryable,
  workspaceId: number,
  nodes: number[],
  lastSeenAt: Date[],
): Promise<void> {
  if (nodes.length === 0) return
  await client.query(
    `
      update profiles.profile set last_seen_at = item.last_seen_at
      from unnest($2::bigint[], $3::timestamptz[]) as item (node, last_seen_at)
      where profile.workspace_id = $1 and profile.node = item.node and profile.last_seen_at < item.last_seen_at`,
    [workspaceId, nodes, lastSeenAt],
  )
}

/** Takes the oldest appended fragments away, to be merged into the settled ones in the same transaction. */
export async function takeFragmentDeltas(
  client: Queryable,
  limit: number,
): Promise<(FragmentRow & { workspaceId: number })[]> {
  const result = await client.query<RawFragment>(
    `
      delete from profiles.fragment_delta
      where (workspace_id, node, source, block) in (
        select workspace_id, node, source, block from profiles.fragment_delta order by block limit $1 for update skip locked
      )
      returning workspace_id, node, source, is_by_message, traits`,
    [limit],
  )
  return result.rows.map(toFragmentRow)
}

/** The settled fragments of these nodes, locked until the transaction ends. */
export async function lockFragments(client: Queryable, workspaceId: number, nodes: number[]): Promise<FragmentRow[]> {
  const result = await client.query<RawFragment>(
    `
      select workspace_id, node, source, is_by_message, traits from profiles.fragment
      where workspace_id = $1 and node = any ($2::bigint[])
      order by node, source
      for update`,
    [workspaceId, nodes],
  )
  return result.rows.map(toFragmentRow)
}

export async function upsertFragments(client: Queryable, workspaceId: number, rows: FragmentRow[]): Promise<void> {
  await client.query(
    `
      insert into profiles.fragment (workspace_id, node, source, is_by_message, traits)
      select $1, item.* from unnest($2::bigint[], $3::text[], $4::bool[], $5::text[]) as item
      on conflict (workspace_id, node, source) do update set traits = excluded.traits`,
    [
      workspaceId,
      rows.map(row => row.node),
      rows.map(row => row.source),
      rows.map(row => row.keeping === 'by-message'),
      rows.map(row => JSON.stringify(row.fragment)),
    ],
  )
}

export async function readPolicies(client: Queryable, workspaceId: number): Promise<TraitPolicies> {
  const result = await client.query<{ trait: string; rule: string; sources: string[] }>(
    'select trait, rule, sources from profiles.trait_policy where workspace_id = $1 order by trait',
    [workspaceId],
  )
  return Object.fromEntries(result.rows.map(({ trait, ...policy }) => [trait, traitPolicySchema.parse(policy)]))
}

export async function upsertPolicy(
  client: Queryable,
  workspaceId: number,
  trait: string,
  policy: TraitPolicy,
): Promise<void> {
  await client.query(
    `
      insert into profiles.trait_policy (workspace_id, trait, rule, sources) values ($1, $2, $3, $4)
      on conflict (workspace_id, trait) do update set rule = excluded.rule, sources = excluded.sources`,
    [workspaceId, trait, policy.rule, policy.sources],
  )
}

export async function deletePolicy(client: Queryable, workspaceId: number, trait: string): Promise<void> {
  await client.query('delete from profiles.trait_policy where workspace_id = $1 and trait = $2', [workspaceId, trait])
}

/** What a block changed, so that it can be projected again after a crash, and, later, be heard by audiences. */
export async function insertOutbox(
  client: Queryable,
  block: number,
  workspaceId: number,
  kind: 'map' | 'profile',
  nodes: number[],
): Promise<void> {
  if (nodes.length === 0) return
  await client.query({
    name: 'profiles-insert-outbox',
    text: `
      insert into profiles.outbox (block, workspace_id, kind, node)
      select $1, $2, $3, node from unnest($4::bigint[]) as item (node)`,
    values: [block, workspaceId, kind, nodes],
  })
}

export async function readOutbox(
  client: Queryable,
  block: number,
  workspaceId: number,
): Promise<{ kind: 'map' | 'profile'; node: number }[]> {
  const result = await client.query<{ kind: 'map' | 'profile'; node: number }>(
    'select kind, node from profiles.outbox where block = $1 and workspace_id = $2 order by kind, node',
    [block, workspaceId],
  )
  return result.rows
}

export async function expireOutbox(client: Queryable, before: number): Promise<void> {
  await client.query('delete from profiles.outbox where block < $1', [before])
}

/** The background work that folds what is appended shares this lock; whoever deletes what it folds has it alone. */
const FOLD_LOCK = 7073

/** For this transaction; false while what is appended is being written anew. */
export async function mayFold(client: Queryable): Promise<boolean> {
  const result = await client.query<{ may: boolean }>('select pg_try_advisory_xact_lock_shared($1) as may', [FOLD_LOCK])
  return result.rows[0]?.may === true
}

/** Before a workspace's events are read anew: nothing is folded until this transaction ends, or it would bring back what goes. */
export async function deleteSaid(client: Queryable, workspaceId: number): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [FOLD_LOCK])
  await client.query('delete from profiles.fragment_delta where workspace_id = $1', [workspaceId])
  await client.query('delete from profiles.fragment where workspace_id = $1', [workspaceId])
  await client.query('delete from profiles.counter_delta where workspace_id = $1', [workspaceId])
  await client.query('delete from profiles.counter where workspace_id = $1', [workspaceId])
}

/** For a rebuild. */
export async function emptyProfiles(client: Queryable): Promise<void> {
  await client.query(
    'truncate profiles.fragment, profiles.fragment_delta, profiles.counter, profiles.counter_delta, profiles.profile, profiles.outbox',
  )
}

export interface ListedProfile extends ProfileRow {
  /** As text with microseconds: a Date would lose what the cursor needs. */
  lastSeenText: string
}

const SEARCH_CHARACTERS_MIN_FOR_INDEX = 3

/** Last seen first. A search of under three characters looks at beginnings of words only, for no index serves less. */
export async function listProfiles(
  client: Queryable,
  workspaceId: number,
  filter: {
    kind: 'person' | 'company'
    search?: string | undefined
    after?: { lastSeen: string; node: number } | undefined
  },
  limit: number,
): Promise<ListedProfile[]> {
  const searched = filter.search
    ?.trim()
    .toLowerCase()
    .replaceAll(/[\\%_]/g, '\\$&')
  const pattern = !searched
    ? null
    : searched.length < SEARCH_CHARACTERS_MIN_FOR_INDEX
      ? `${searched}%`
      : `%${searched}%`
  const result = await client.query<ListedProfile>({
    name: pattern === null ? 'profiles-list' : 'profiles-search',
    text: `
      select node, kind, public_id as "publicId", name, email, phone, search,
        first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt", last_seen_at::text as "lastSeenText"
      from profiles.profile
      where workspace_id = $1 and kind = $2
        ${pattern === null ? 'and $3::text is null' : 'and search like $3'}
        and ($4::timestamptz is null or (last_seen_at, node) < ($4, $5))
      order by last_seen_at desc, node desc
      limit $6`,
    values: [workspaceId, filter.kind, pattern, filter.after?.lastSeen ?? null, filter.after?.node ?? null, limit],
  })
  return result.rows
}
