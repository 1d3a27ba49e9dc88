/** HTTP of identity: why somebody is one person, and operators' merges and splits, each of which can be taken back. */
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { awaitProcessed, encodeLine } from '../events/index.ts'
import { type Actor, nothing, route } from '../http/route.ts'
import type { DecisionEntry } from '../spec/event.ts'
import { type Identifier, normaliseIdentifier } from '../spec/identifier.ts'
import type { JsonObject } from '../spec/json.ts'
import { decideMerge, decideSplit, decideUndo, type UndoFault } from './decide.ts'
import { type Decision, identifiersOf, type PlanFault, splitNodesMax } from './decision.ts'
import type { NodeId } from './evidence.ts'
import type { ExplainedLink, ExplainedRefusal } from './explain.ts'
import { explainProfile } from './explain-profile.ts'
import { findProfile } from './find.ts'
import { profileIdOf } from './profile-id.ts'
import { type DecidedHistory, findDecision } from './store-decisions.ts'
import { membersOf } from './store-members.ts'
import { readRules } from './store-rules.ts'

const REFERENCE_CHARACTERS_MAX = 1_100
const reference = z
  .string()
  .min(1)
  .max(REFERENCE_CHARACTERS_MAX)
  .describe('`p_…`, or an identifier: `email:ada@example.com`.')
const profileParams = z.object({ id: reference })
const identifierSchema = z.object({ namespace: z.string().min(1).max(100), value: z.string().min(1).max(1_024) })

const linkSchema = z.object({
  kind: z
    .string()
    .describe('claim: `a` was seen beside the login `b`; link: seen together without a login; alias: said so.'),
  a: identifierSchema,
  b: identifierSchema,
  source: z.string(),
  messageId: z.string(),
  timestamp: z.string(),
  strength: z.enum(['operator', 'explicit', 'observed']),
})
const refusalSchema = linkSchema.extend({
  rule: z.string().describe('unique, limit, split, holder, crowd or other_time.'),
  namespace: z.string().nullable().describe('Whose limit it was.'),
})
const decisionSchema = z.object({
  id: z.string(),
  kind: z.enum(['merge', 'split']),
  at: z.string(),
  by: z.string(),
  undoneAt: z.string().nullable(),
  undoneBy: z.string().nullable(),
  identifiers: z.array(identifierSchema).describe('What it speaks of.'),
})
const identitySchema = z.object({
  profileId: z.string(),
  identifiers: z.array(
    identifierSchema.extend({
      intervals: z
        .array(z.object({ from: z.string(), to: z.string() }))
        .nullable()
        .describe('Only of a shared device: when it was theirs.'),
    }),
  ),
  links: z.array(linkSchema),
  refusals: z.array(refusalSchema),
  merges: z.array(decisionSchema),
  splits: z.array(decisionSchema),
  isCut: z.boolean().describe('There is more evidence than is shown.'),
})
const madeSchema = decisionSchema.extend({
  profileId: z.string().nullable().describe('The profile that the first identifier leads to now.'),
})

export const identityRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/profiles/{id}/identity',
    summary: 'Why this is one person: links with their evidence, refusals with their rule, merges and splits',
    tag: 'identity',
    access: 'viewer',
    params: profileParams,
    responses: { 200: identitySchema },
    errors: ['not_found'],
    handle: async ({ context, actor, params }) => {
      const { workspaceId } = actor
      const profile = await requireProfile(context, workspaceId, params.id)
      const members = (await membersOf(context.postgres, workspaceId, [profile])).get(profile) ?? []
      const explanation = await explainProfile(context.postgres, workspaceId, profile)
      const representative = members.find(member => member.node === profile)
      const decisions = explanation.decisions.map(presentDecision)
      return {
        profileId: representative ? profileIdOf(representative.publicId) : params.id,
        identifiers: members.map(({ namespace, value, intervals }) => ({
          namespace,
          value,
          intervals: intervals?.map(({ from, to }) => ({ from: instant(from), to: instant(to) })) ?? null,
        })),
        links: explanation.links.map(presentLink),
        refusals: explanation.refusals.map(presentRefusal),
        merges: decisions.filter(decision => decision.kind === 'merge'),
        splits: decisions.filter(decision => decision.kind === 'split'),
        isCut: explanation.isCut,
      }
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/profiles/{id}/merges',
    summary: 'Say that two profiles are one; stays so until it is taken back',
    tag: 'identity',
    access: 'editor',
    params: profileParams,
    body: z.object({ with: reference }),
    responses: { 201: madeSchema },
    errors: ['not_found', 'unprocessable', 'unavailable', 'overloaded'],
    handle: async ({ context, actor, params, body }) => {
      const { workspaceId } = actor
      const profile = await requireProfile(context, workspaceId, params.id)
      const other = await requireProfile(context, workspaceId, body.with)
      if (profile === other) throw refused('same_profile')
      const decision = await decideMerge(context.postgres, workspaceId, [profile, other], headOf(context, actor))
      return decide(context, workspaceId, decision)
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/profiles/{id}/splits',
    summary: 'Move identifiers out of a profile; they stay apart, whatever later events show, until it is taken back',
    tag: 'identity',
    access: 'editor',
    params: profileParams,
    body: z.object({ identifiers: z.array(identifierSchema).min(1).max(splitNodesMax) }),
    responses: { 201: madeSchema },
    errors: ['not_found', 'unprocessable', 'unavailable', 'overloaded'],
    handle: async ({ context, actor, params, body }) => {
      const { workspaceId } = actor
      const profile = await requireProfile(context, workspaceId, params.id)
      const rules = await readRules(context.postgres, workspaceId)
      const out = body.identifiers.map((identifier): Identifier => normaliseIdentifier(identifier, rules) ?? identifier)
      const decision = await decideSplit(context.postgres, workspaceId, { profile, out }, headOf(context, actor))
      return decide(context, workspaceId, decision)
    },
  }),
  ...(['merge', 'split'] as const).map(kind =>
    route({
      method: 'DELETE',
      path: `/api/v1/profiles/{id}/${kind}s/{decisionId}`,
      summary: `Take a ${kind} back: everything is as if it had never been, events since then included`,
      tag: 'identity',
      access: 'editor',
      params: z.object({ id: reference, decisionId: z.string().min(1).max(256) }),
      responses: { 204: nothing },
      errors: ['not_found', 'conflict', 'unavailable', 'overloaded'],
      handle: async ({ context, actor, params }) => {
        await requireDecision(context, actor.workspaceId, params, kind)
        const undo = await decideUndo(context.postgres, actor.workspaceId, params.decisionId, headOf(context, actor))
        await write(context, actor.workspaceId, typeof undo === 'string' ? raiseUndo(undo) : undo)
      },
    }),
  ),
] as const

async function requireProfile(context: Context, workspaceId: number, id: string): Promise<NodeId> {
  const profile = await findProfile(context, workspaceId, id)
  if (profile === undefined) throw new Problem('not_found', 'There is no such profile in this workspace.')
  return profile
}

/** The decision must be one of this kind that concerns this profile: a wrong address is not carried out. */
async function requireDecision(
  context: Context,
  workspaceId: number,
  { id, decisionId }: { id: string; decisionId: string },
  kind: 'merge' | 'split',
): Promise<void> {
  const profile = await requireProfile(context, workspaceId, id)
  const known = await findDecision(context.postgres, workspaceId, decisionId)
  const named = known?.decision.kind === kind ? identifiersOf(known.decision) : []
  for (const { namespace, value } of named) {
    if ((await findProfile(context, workspaceId, `${namespace}:${value}`)) === profile) return
  }
  throw new Problem('not_found', `There is no such ${kind} of this profile.`)
}

const headOf = (context: Context, actor: Actor) => ({
  id: context.uuid(),
  at: context.now(),
  by: actor.accountId ?? actor.apiKeyId ?? actor.via,
})

async function decide(
  context: Context,
  workspaceId: number,
  decision: Decision | PlanFault,
): Promise<z.output<typeof madeSchema>> {
  if (typeof decision === 'string') throw refused(decision)
  if (decision.kind === 'undo') throw new Error('an undo is not made here')
  await write(context, workspaceId, decision)
  const [first] = identifiersOf(decision)
  const profile = first && (await findProfile(context, workspaceId, `${first.namespace}:${first.value}`))
  const members =
    profile === undefined ? undefined : (await membersOf(context.postgres, workspaceId, [profile])).get(profile)
  const publicId = members?.find(member => member.node === profile)?.publicId
  return { ...presentDecision({ decision }), profileId: publicId ? profileIdOf(publicId) : null }
}

/** A decision is a message in the log like any event; it is answered once its effect can be read. */
async function write(context: Context, workspaceId: number, decision: Decision): Promise<void> {
  const at = instant(decision.at)
  const entry: DecisionEntry = {
    messageId: `decision-${decision.id}`,
    type: 'decision',
    source: 'operator',
    timestamp: at,
    receivedAt: at,
    decision: decision as unknown as JsonObject,
  }
  const submission = { workspaceId, source: entry.source, events: [entry], lines: [encodeLine(entry)], rejections: [] }
  const { position } = await context.accepter.accept({ ...submission, isUncounted: true })
  if (position) await awaitProcessed(context.postgres, position)
}

const faults: Record<PlanFault, string> = {
  same_profile: 'These are one profile already.',
  company: 'Companies are neither merged nor split: their id says who they are.',
  nothing_to_split: 'Name at least one identifier to move out.',
  not_in_profile: 'An identifier does not belong to this profile.',
  everything_moved: 'At least one identifier must stay.',
  too_many: `At most ${splitNodesMax} identifiers can be parted at once.`,
}
const refused = (fault: PlanFault) => new Problem('unprocessable', faults[fault])

function raiseUndo(fault: UndoFault): never {
  if (fault === 'already_undone') throw new Problem('conflict', 'This was taken back already.')
  throw new Problem('not_found', 'There is no such decision.')
}

const instant = (ms: number) => new Date(ms).toISOString()

const strengthNames = { 9: 'operator', 1: 'explicit', 0: 'observed' } as const

const presentLink = ({ kind, a, b, source, messageId, at, strength }: ExplainedLink) => ({
  kind,
  a,
  b,
  source,
  messageId,
  timestamp: instant(at),
  strength: strengthNames[strength],
})

const presentRefusal = (refusal: ExplainedRefusal) => ({
  ...presentLink(refusal),
  rule: refusal.rule,
  namespace: refusal.namespace ?? null,
})

const presentDecision = ({ decision, undoneAt, undoneBy }: DecidedHistory) => ({
  id: decision.id,
  kind: decision.kind,
  at: instant(decision.at),
  by: decision.by,
  undoneAt: undoneAt === undefined ? null : instant(undoneAt),
  undoneBy: undoneBy ?? null,
  identifiers: identifiersOf(decision),
})
