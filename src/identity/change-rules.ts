/** Changed rules come in: they are asked to be applied by the pipeline, or tried on the real data without changing anything. */
import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { withHistory } from '../events/index.ts'
import type { IdentityRules } from '../spec/identifier.ts'
import type { Postgres } from '../store/postgres.ts'
import { evaluatedIdentifiersMax, evaluateRules, type RulesEvaluation } from './evaluate.ts'
import { inputOf } from './input.ts'
import { type Application, findApplication, findApplicationUnderWay, insertApplication } from './store-applications.ts'
import { currentIdentifiers } from './store-members.ts'

type Made = Pick<Application, 'id' | 'requestedBy' | 'requestedAt'>

/**
 * Asks for rules to be put in force. Asked again while they are on their way, it is the same application; other rules
 * meanwhile are a `conflict`.
 */
export async function requestRules(
  { postgres }: Pick<Context, 'postgres'>,
  workspaceId: number,
  rules: IdentityRules,
  made: Made,
): Promise<Application> {
  await insertApplication(postgres, workspaceId, { ...made, rules })
  const underWay = await findApplicationUnderWay(postgres, workspaceId)
  if (underWay && isDeepStrictEqual(plain(underWay.rules), plain(rules))) return underWay
  const ended = await findApplication(postgres, workspaceId, made.id)
  if (ended) return ended
  throw new Problem('conflict', 'Other rules are being applied.', {
    hint: 'Wait until that is done: GET /api/v1/identity-rules/applications says how far it is.',
  })
}

/** Without what JSON does not carry: absent is the same as undefined. */
const plain = (rules: IdentityRules): unknown => JSON.parse(JSON.stringify(rules))

/** A dry run holds all identifiers of a workspace in memory: one at a time in a process. */
const evaluating = new WeakSet<Postgres>()
/** Read at once: a dry run shares its process with whoever waits for an answer, so its turns are short (some 8 ms). */
const EVALUATED_BATCH_ENTRIES = 250
const RETRY_SECONDS = 10

/** Throws `overloaded` while another one runs in this process, `unprocessable` when there is too much to hold. */
export async function tryRules(
  context: Context,
  workspaceId: number,
  rules: IdentityRules,
  signal: AbortSignal,
): Promise<RulesEvaluation> {
  const { postgres } = context
  if (evaluating.has(postgres)) {
    throw new Problem('overloaded', 'Another dry run is under way.', { retryAfterSeconds: RETRY_SECONDS })
  }
  evaluating.add(postgres)
  try {
    return await withHistory(context, workspaceId, async history => {
      async function* inputs() {
        for await (const entries of history.batches(EVALUATED_BATCH_ENTRIES)) {
          signal.throwIfAborted()
          yield entries.map(({ entry }) => inputOf(entry, rules))
        }
      }
      const evaluation = await evaluateRules(rules, inputs, () => currentIdentifiers(postgres, workspaceId))
      if (evaluation !== 'too_large') return evaluation
      throw new Problem('unprocessable', `There are more than ${evaluatedIdentifiersMax} identifiers to resolve.`)
    })
  } catch (error) {
    if (signal.aborted) throw new Problem('invalid_request', 'Nobody waits for this answer any more.', { cause: error })
    throw error
  } finally {
    evaluating.delete(postgres)
  }
}
