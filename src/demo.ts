/** `--demo`: a workspace of its own, filled with two years of Northwind; run again, it goes on where it was or does nothing. */
import type { Context } from './context.ts'
import { encodeLine, parseCall, type Submission } from './events/index.ts'
import { type SimulatedCall, type SimulatedSource, simulate, sources } from './simulator/index.ts'
import { createSource, listSources } from './sources/index.ts'
import {
  createWorkspace,
  DEFAULT_WORKSPACE,
  findWorkspaceBySlug,
  listMembers,
  type WorkspaceRow,
} from './workspaces/index.ts'

export const DEMO_WORKSPACE = 'demo'

/** Enough to look alive on every page, and filled within a minute on two cores. */
const PEOPLE = 600
const DAYS = 730
const SEED = 7070
const DAY_MS = 24 * 60 * 60 * 1000
const SUBMISSION_EVENTS = 500
const MEMBERS_MAX = 200

export interface DemoProgress {
  events: number
  /** 0 to 1, by simulated time. */
  share: number
}

/** Resolves when everything is in the log. `signal` stops it between two submissions. */
export async function fillDemo(
  context: Context,
  onProgress: (progress: DemoProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const workspace = await ensureWorkspace(context)
  const slugs = await ensureSources(context, workspace.id)
  // Northwind's last day is the one before the workspace was made: the same world at every start.
  const end = Math.floor(workspace.createdAt.getTime() / DAY_MS) * DAY_MS
  const startAt = end - DAYS * DAY_MS
  let batch: SimulatedCall[] = []
  let events = 0
  const flush = async () => {
    await submit(context, workspace.id, slugs, batch)
    events += batch.length
    onProgress({ events, share: ((batch.at(-1)?.receivedAt ?? end) - startAt) / (end - startAt) })
    batch = []
  }
  for (const call of simulate({ seed: SEED, people: PEOPLE, startAt, days: DAYS, endAt: end })) {
    if (signal.aborted) return
    batch.push(call)
    if (batch.length === SUBMISSION_EVENTS) await flush()
  }
  await flush()
}

async function ensureWorkspace(context: Context): Promise<WorkspaceRow> {
  const known = await findWorkspaceBySlug(context.postgres, DEMO_WORKSPACE)
  if (known) return known
  const first = await findWorkspaceBySlug(context.postgres, DEFAULT_WORKSPACE)
  const members = first ? await listMembers(context.postgres, first.id, { after: undefined, limit: MEMBERS_MAX }) : []
  const adminIds = members.filter(member => member.role === 'admin').map(member => member.id)
  return createWorkspace(context, { name: 'Northwind (demo)', slug: DEMO_WORKSPACE, adminIds })
}

async function ensureSources(context: Context, workspaceId: number): Promise<Map<SimulatedSource, string>> {
  const known = await listSources(context.postgres, workspaceId, { after: '', limit: sources.length * 2 })
  const slugs = new Map<SimulatedSource, string>()
  for (const name of sources) {
    const source =
      known.find(one => one.name === name) ??
      (await createSource(context, context.postgres, workspaceId, { name, kind: 'http' }))
    slugs.set(name, source.slug)
  }
  return slugs
}

/** One submission a source; each call keeps the time at which a server would have received it. */
async function submit(
  context: Context,
  workspaceId: number,
  slugs: Map<SimulatedSource, string>,
  calls: SimulatedCall[],
): Promise<void> {
  const submissions = [...Map.groupBy(calls, call => call.source)].map(([name, own]): Submission => {
    const source = slugs.get(name) as string
    const events = own.flatMap(({ call, receivedAt }) => {
      const parsed = parseCall(call, { source, receivedAt, mayBeNobodys: true, newMessageId: context.uuid })
      return 'event' in parsed ? [parsed.event] : []
    })
    return { workspaceId, source, events, lines: events.map(encodeLine), rejections: [], isRememberedForEver: true }
  })
  await Promise.all(submissions.map(submission => context.accepter.accept(submission)))
}
