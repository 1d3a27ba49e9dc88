/** A profile id or an identifier comes in, as people write them; the profile that it leads to now goes out. */
import type { Context } from '../context.ts'
import { Recent } from '../http/recent.ts'
import { type IdentityRules, normaliseIdentifier, parseIdentifierKey } from '../spec/identifier.ts'
import type { Postgres } from '../store/postgres.ts'
import { findIdentityKey } from '../workspaces/index.ts'
import type { NodeId } from './evidence.ts'
import { publicIdOf, publicIdOfProfile } from './profile-id.ts'
import { readProfileOf } from './store-members.ts'
import { readRules } from './store-rules.ts'

interface Workspace {
  identityKey: Uint8Array
  rules: IdentityRules
}

/** Changed rules count after so long where another process is the pipeline. */
const REMEMBER_MS = 2_000
const REMEMBERED_MAX = 1_000
const memories = new WeakMap<Postgres, Recent<Workspace>>()

/**
 * `p_…` (any id that ever was one) or `namespace:value` (in any form that the rules normalise). Undefined when there is
 * no such profile in the workspace. A shared device leads to its owner when it was first seen.
 */
export async function findProfile(
  context: Pick<Context, 'postgres' | 'now'>,
  workspaceId: number,
  reference: string,
): Promise<NodeId | undefined> {
  const publicId = publicIdOfProfile(reference) ?? (await publicIdOfReference(context, workspaceId, reference))
  return publicId === undefined ? undefined : readProfileOf(context.postgres, workspaceId, publicId)
}

async function publicIdOfReference(context: Pick<Context, 'postgres' | 'now'>, workspaceId: number, reference: string) {
  const identifier = parseIdentifierKey(reference)
  const workspace = identifier && (await readWorkspace(context, workspaceId))
  if (!workspace) return undefined
  const normal = normaliseIdentifier(identifier, workspace.rules)
  return normal && publicIdOf(workspace.identityKey, normal)
}

/** What it takes to find somebody: remembered for two seconds. */
export async function readWorkspace(
  { postgres, now }: Pick<Context, 'postgres' | 'now'>,
  workspaceId: number,
): Promise<Workspace | undefined> {
  const memory =
    memories.get(postgres) ?? new Recent<Workspace>({ lifetimeMs: REMEMBER_MS, entriesMax: REMEMBERED_MAX })
  memories.set(postgres, memory)
  const known = memory.get(String(workspaceId), now())
  if (known) return known
  const identityKey = await findIdentityKey(postgres, workspaceId)
  if (!identityKey) return undefined
  const workspace = { identityKey, rules: await readRules(postgres, workspaceId) }
  memory.set(String(workspaceId), workspace, now())
  return workspace
}

/** Rules were changed by this process. */
export function forgetWorkspaces({ postgres }: Pick<Context, 'postgres'>): void {
  memories.delete(postgres)
}
