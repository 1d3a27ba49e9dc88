/** SQL of whose an event is: identifiers and times come in, the representatives of their profiles go out. */
import type { Queryable } from '../store/postgres.ts'

/**
 * `identifiers` are public ids (UUIDs), `times` epoch ms, pair by pair; so are the results: the public id of the profile
 * that the identifier belonged to at that time, null where there is none.
 */
export async function readProfilesAt(
  client: Queryable,
  workspaceId: number,
  identifiers: string[],
  times: number[],
): Promise<(string | null)[]> {
  const { rows } = await client.query<{ profile: string | null }>({
    name: 'identity-profiles-at',
    text: `
      select profile.public_id as profile
      from unnest($2::uuid[], $3::timestamptz[]) with ordinality as item (public_id, at, place)
      left join identity.node on node.workspace_id = $1 and node.public_id = item.public_id
      left join identity.owner
        on node.profile = 0 and owner.workspace_id = $1 and owner.node = node.id
        and owner.from_at <= item.at and item.at < owner.to_at
      left join identity.node as profile
        on profile.workspace_id = $1 and profile.id = coalesce(owner.profile, node.profile)
      order by item.place`,
    values: [workspaceId, identifiers, times.map(time => new Date(time))],
  })
  return rows.map(row => row.profile)
}
