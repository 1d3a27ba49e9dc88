/**
 * SQL of the evidence: in, node numbers; out, rows of the graph; and the way back. Every statement is set-based and
 * prepared: a batch costs a handful of them whatever its size. Times are ms here and timestamptz there.
 */
import type { Queryable } from '../store/postgres.ts'
import { all } from '../store/query.ts'
import { nodeOf } from './anchor.ts'
import type { Refusal } from './components.ts'
import type { Alias, Claim, Evidence, Link, NodeId, NodeRecord, Strength } from './evidence.ts'
import type { EvidenceRows } from './graph.ts'
import { ownersChanged, type PublishedChange } from './publish.ts'

export const nodeNumbersPerBlock = 1_000

/** The first of a block of node numbers that belong to the caller alone. */
export async function takeNodeNumbers(client: Queryable): Promise<NodeId> {
  const rows = await all<{ first: number }>(client, `select nextval('identity.node_number') as first`, [])
  return rows[0]?.first ?? 0
}

/** An instant as PostgreSQL reads it; none for what never was. */
export const instant = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null)

interface NodeRow {
  id: number
  namespace: string
  value: string
  public_id: string
  first_seen_at: Date | null
  profile: number
}

export interface StoredNode extends NodeRecord {
  publicId: string
}

const storedNode = (row: NodeRow): StoredNode => ({
  id: row.id,
  namespace: row.namespace,
  value: row.value,
  publicId: row.public_id,
  firstSeenAt: row.first_seen_at?.getTime() ?? Number.POSITIVE_INFINITY,
  profile: row.profile,
})

/** Nodes by public id (UUID); those that are unknown are left out. */
export async function findNodes(client: Queryable, workspaceId: number, publicIds: string[]): Promise<StoredNode[]> {
  const { rows } = await client.query<NodeRow>({
    name: 'identity-find-nodes',
    text: `
      select id, namespace, value, public_id, first_seen_at, profile
      from identity.node
      where workspace_id = $1 and public_id = any($2::uuid[])`,
    values: [workspaceId, publicIds],
  })
  return rows.map(storedNode)
}

/** Nodes in order of number. */
export async function readNodes(client: Queryable, workspaceId: number, ids: NodeId[]): Promise<StoredNode[]> {
  const { rows } = await client.query<NodeRow>({
    name: 'identity-read-nodes',
    text: `
      select id, namespace, value, public_id, first_seen_at, profile
      from identity.node
      where workspace_id = $1 and id = any($2::bigint[])
      order by id`,
    values: [workspaceId, ids],
  })
  return rows.map(storedNode)
}

interface PairRow {
  left: number
  right: number
  at: Date
  message_id: string
  source: string
  strength: number
}

const showing = (row: PairRow) => ({
  at: row.at.getTime(),
  messageId: row.message_id,
  source: row.source,
  strength: row.strength as Strength,
})

/** Everything stored about these nodes, with the records of all nodes that it names. */
export async function loadEvidence(client: Queryable, workspaceId: number, ids: NodeId[]): Promise<EvidenceRows> {
  const claims = (await readPairs(client, 'claim', workspaceId, ids)).map(
    (row): Claim => ({ kind: 'claim', node: row.left, by: row.right, ...showing(row) }),
  )
  const links = (await readPairs(client, 'link', workspaceId, ids)).map(
    (row): Link => ({ kind: 'link', a: row.left, b: row.right, ...showing(row) }),
  )
  const aliases = (await readPairs(client, 'alias', workspaceId, ids)).map(
    (row): Alias => ({ kind: 'alias', a: row.left, b: row.right, ...showing(row) }),
  )
  const owners = await readOwners(client, workspaceId, ids)
  const named = new Set(ids)
  for (const { node, by } of claims) named.add(node).add(by)
  for (const { a, b } of [...links, ...aliases]) named.add(a).add(b)
  return { nodes: await readNodes(client, workspaceId, [...named]), claims, links, aliases, owners }
}

const pairQueries = {
  claim: `
    select node as left, login as right, at, message_id, source, strength
    from identity.claim
    where workspace_id = $1 and node = any($2::bigint[])
    union
    select node as left, login as right, at, message_id, source, strength
    from identity.claim
    where workspace_id = $1 and login = any($2::bigint[])`,
  link: `
    select a as left, b as right, at, message_id, source, strength
    from identity.link
    where workspace_id = $1 and a = any($2::bigint[])
    union
    select a as left, b as right, at, message_id, source, strength
    from identity.link
    where workspace_id = $1 and b = any($2::bigint[])`,
  alias: `
    select a as left, b as right, at, message_id, source, 0 as strength
    from identity.alias
    where workspace_id = $1 and a = any($2::bigint[])
    union
    select a as left, b as right, at, message_id, source, 0 as strength
    from identity.alias
    where workspace_id = $1 and b = any($2::bigint[])`,
}

async function readPairs(
  client: Queryable,
  kind: keyof typeof pairQueries,
  workspaceId: number,
  ids: NodeId[],
): Promise<PairRow[]> {
  const query = { name: `identity-read-${kind}s`, text: pairQueries[kind], values: [workspaceId, ids] }
  return (await client.query<PairRow>(query)).rows
}

export async function readOwners(
  client: Queryable,
  workspaceId: number,
  ids: NodeId[],
): Promise<EvidenceRows['owners']> {
  const { rows } = await client.query<{ node: number; from_at: Date; to_at: Date; profile: number }>({
    name: 'identity-read-owners',
    text: `
      select node, from_at, to_at, profile
      from identity.owner
      where workspace_id = $1 and node = any($2::bigint[])`,
    values: [workspaceId, ids],
  })
  return rows.map(({ node, from_at, to_at, profile }) => ({
    node,
    from: from_at.getTime(),
    to: to_at.getTime(),
    profile,
  }))
}

export async function insertNodes(client: Queryable, workspaceId: number, nodes: StoredNode[]): Promise<void> {
  if (nodes.length === 0) return
  await client.query({
    name: 'identity-insert-nodes',
    text: `
      insert into identity.node (workspace_id, id, namespace, value, public_id, first_seen_at, profile)
      select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::bigint[])`,
    values: [
      workspaceId,
      nodes.map(node => node.id),
      nodes.map(node => node.namespace),
      nodes.map(node => node.value),
      nodes.map(node => node.publicId),
      nodes.map(node => instant(node.firstSeenAt)),
      nodes.map(node => node.profile),
    ],
  })
}

export async function updateNodes(client: Queryable, workspaceId: number, nodes: NodeRecord[]): Promise<void> {
  if (nodes.length === 0) return
  await client.query({
    name: 'identity-update-nodes',
    text: `
      update identity.node
      set first_seen_at = changed.first_seen_at, profile = changed.profile
      from unnest($2::bigint[], $3::timestamptz[], $4::bigint[]) as changed (id, first_seen_at, profile)
      where node.workspace_id = $1 and node.id = changed.id`,
    values: [
      workspaceId,
      nodes.map(node => node.id),
      nodes.map(node => instant(node.firstSeenAt)),
      nodes.map(node => node.profile),
    ],
  })
}

const ends = (row: Evidence): [NodeId, NodeId] => (row.kind === 'claim' ? [row.node, row.by] : [row.a, row.b])

const insertions = {
  claim: `
    insert into identity.claim (workspace_id, node, login, at, message_id, source, strength)
    select $1, * from unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::smallint[])
    on conflict do nothing`,
  link: `
    insert into identity.link (workspace_id, a, b, at, message_id, source, strength)
    select $1, * from unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::smallint[])
    on conflict do nothing`,
  alias: `
    insert into identity.alias (workspace_id, a, b, at, message_id, source)
    select $1, a, b, at, message_id, source
    from unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::smallint[])
      as shown (a, b, at, message_id, source, strength)
    on conflict (workspace_id, a, b) do update
      set at = excluded.at, message_id = excluded.message_id, source = excluded.source`,
}

/** Adds rows of evidence, all of one kind. */
export async function insertEvidence(client: Queryable, workspaceId: number, rows: Evidence[]): Promise<void> {
  const kind = rows[0]?.kind
  if (!kind) return
  await client.query({
    name: `identity-insert-${kind}s`,
    text: insertions[kind],
    values: [
      workspaceId,
      rows.map(row => ends(row)[0]),
      rows.map(row => ends(row)[1]),
      rows.map(row => instant(row.at)),
      rows.map(row => row.messageId),
      rows.map(row => row.source),
      rows.map(row => row.strength),
    ],
  })
}

const deletions: Record<Evidence['kind'], string> = {
  claim: `
    delete from identity.claim using unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[])
      as gone (node, login, at, message_id)
    where claim.workspace_id = $1 and claim.node = gone.node and claim.login = gone.login
      and claim.at = gone.at and claim.message_id = gone.message_id`,
  link: `
    delete from identity.link using unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[])
      as gone (a, b, at, message_id)
    where link.workspace_id = $1 and link.a = gone.a and link.b = gone.b
      and link.at = gone.at and link.message_id = gone.message_id`,
  alias: `
    delete from identity.alias using unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[])
      as gone (a, b, at, message_id)
    where alias.workspace_id = $1 and alias.a = gone.a and alias.b = gone.b
      and alias.at = gone.at and alias.message_id = gone.message_id`,
}

/** Removes rows, all of one kind, that better ones of the same pair supersede. */
export async function deleteEvidence(client: Queryable, workspaceId: number, rows: Evidence[]): Promise<void> {
  const kind = rows[0]?.kind
  if (!kind) return
  await client.query({
    name: `identity-delete-${kind}s`,
    text: deletions[kind],
    values: [
      workspaceId,
      rows.map(row => ends(row)[0]),
      rows.map(row => ends(row)[1]),
      rows.map(row => instant(row.at)),
      rows.map(row => row.messageId),
    ],
  })
}

/** Makes the stored owners of these devices what they now are. */
export async function replaceOwners(client: Queryable, workspaceId: number, devices: PublishedChange[]): Promise<void> {
  const gone: { node: NodeId; from: number }[] = []
  const owners: EvidenceRows['owners'] = []
  for (const device of devices) {
    const changed = ownersChanged(device)
    for (const { from } of changed.gone) gone.push({ node: device.node, from })
    for (const owner of changed.come) owners.push({ node: device.node, ...owner })
  }
  if (gone.length > 0) {
    await client.query({
      name: 'identity-delete-owners',
      text: `
        delete from identity.owner using unnest($2::bigint[], $3::timestamptz[]) as gone (node, from_at)
        where owner.workspace_id = $1 and owner.node = gone.node and owner.from_at = gone.from_at`,
      values: [workspaceId, gone.map(owner => owner.node), gone.map(owner => instant(owner.from))],
    })
  }
  if (owners.length === 0) return
  await client.query({
    name: 'identity-insert-owners',
    text: `
      insert into identity.owner (workspace_id, node, from_at, to_at, profile)
      select $1, * from unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])`,
    values: [
      workspaceId,
      owners.map(owner => owner.node),
      owners.map(owner => instant(owner.from)),
      owners.map(owner => instant(owner.to)),
      owners.map(owner => owner.profile),
    ],
  })
}

/** Replaces every refusal at these nodes. */
export async function replaceRefusals(
  client: Queryable,
  workspaceId: number,
  { nodes, rows }: { nodes: NodeId[]; rows: Refusal[] },
): Promise<void> {
  if (nodes.length === 0) return
  await client.query({
    name: 'identity-delete-refusals',
    text: `
      delete from identity.refusal
      where workspace_id = $1 and (u = any($2::bigint[]) or v = any($2::bigint[]))`,
    values: [workspaceId, nodes],
  })
  await insertRefusals(client, workspaceId, rows)
}

export async function insertRefusals(client: Queryable, workspaceId: number, rows: Refusal[]): Promise<void> {
  if (rows.length === 0) return
  await client.query({
    name: 'identity-insert-refusals',
    text: `
      insert into identity.refusal
        (workspace_id, u, v, kind, a, b, rule, namespace, at, message_id, source, strength)
      select $1, * from unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
        $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::smallint[])
      on conflict do nothing`,
    values: [
      workspaceId,
      rows.map(row => nodeOf(row.u)),
      rows.map(row => nodeOf(row.v)),
      rows.map(row => row.kind),
      rows.map(row => row.a),
      rows.map(row => row.b),
      rows.map(row => row.rule),
      rows.map(row => row.namespace ?? null),
      rows.map(row => instant(row.at)),
      rows.map(row => row.messageId),
      rows.map(row => row.source),
      rows.map(row => row.strength),
    ],
  })
}

/** Before a rebuild: forgets all workspaces' evidence and what was worked out. The log knows it; rules stay. */
export async function emptyIdentity(client: Queryable): Promise<void> {
  await client.query(`
    truncate identity.node, identity.claim, identity.link, identity.alias,
      identity.decision, identity.refusal, identity.owner`)
}

/** Before a workspace is resolved anew: its evidence and all that followed from it go, its nodes and decisions stay. */
export async function deleteResolution(client: Queryable, workspaceId: number): Promise<void> {
  await client.query('delete from identity.claim where workspace_id = $1', [workspaceId])
  await client.query('delete from identity.link where workspace_id = $1', [workspaceId])
  await client.query('delete from identity.alias where workspace_id = $1', [workspaceId])
  await client.query('delete from identity.refusal where workspace_id = $1', [workspaceId])
  await client.query('delete from identity.owner where workspace_id = $1', [workspaceId])
}
