import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/identity/decision.ts'
import { IdentityInMemory } from '../../src/identity/in-memory.ts'
import { openIdentity } from '../../src/identity/index.ts'
import type { IdentityInput } from '../../src/identity/resolve-batch.ts'
import type { HistoryEvent } from '../../src/identity/step.ts'
import { type Postgres, transaction } from '../../src/store/postgres.ts'
import { freshPostgres } from '../engines.ts'
import { readWhole } from '../identity-rows.ts'
import { type Act, arrival, arrive, decide, events, historyIn, rulesWith, runs, signature } from '../identity-world.ts'

/** The same random histories through PostgreSQL: a fifth, for each takes some 10 ms. */
const histories = Math.ceil(runs * 0.2)
const rules = rulesWith({})
const identityKey = Buffer.alloc(32, 7)

let pool: Postgres
let drop: () => Promise<void>
beforeAll(async () => {
  const fresh = await freshPostgres()
  pool = fresh.pool
  drop = fresh.drop
})
afterAll(() => drop())

function rebuild(inputs: IdentityInput[]): string[] {
  const identity = new IdentityInMemory(
    rules,
    historyIn(
      () => identity.graph,
      () => inputs,
    ),
  )
  identity.resolve(inputs)
  return signature(identity.graph, inputs, identity.refusals.all())
}

describe('identity in PostgreSQL', () => {
  it('is after any history what a rebuild would give, whether or not its memory was lost in between', async () => {
    let workspaceId = 0
    await fc.assert(
      fc.asyncProperty(events, arrival, fc.boolean(), async (all, how, isForgetful) => {
        workspaceId += 1
        const past: IdentityInput[] = []
        const history: (HistoryEvent & { every: number[] })[] = []
        const identity = openIdentity({
          workspaceId,
          identityKey,
          rules,
          async fullHistory(device, partners) {
            const hubs = new Set([device, ...partners])
            return history.filter(event => hubs.has(event.hub) && event.every.includes(device))
          },
        })
        const step = async (batch: IdentityInput[]) => {
          if (isForgetful) identity.forget()
          const { events: resolved } = await transaction(pool, async client => {
            const outcome = await identity.resolve(client, batch)
            await identity.write(client, outcome)
            return outcome
          })
          for (const [index, input] of batch.entries()) {
            const event = resolved[index]
            if ('kind' in input || !event || history.some(one => one.messageId === input.messageId)) continue
            const { messageId, at, type, source } = input
            history.push({ messageId, at, type, source, ...event, every: [event.hub, ...event.nodes] })
          }
          past.push(...batch)
        }
        const decisions: Decision[] = []
        for (const [index, batch] of arrive(all, how).entries()) {
          await step(batch)
          const decision = await act(how.acts[index % how.acts.length] ?? null, index, decisions, workspaceId)
          if (!decision) continue
          decisions.push(decision)
          await step([decision])
        }
        const { graph, refusals } = await readWhole(pool, workspaceId, rules)
        expect(signature(graph, past, refusals)).toEqual(rebuild(past))
      }),
      { numRuns: histories },
    )
  }, 600_000)
})

async function act(chosen: Act | null, index: number, decisions: Decision[], workspaceId: number) {
  if (!chosen) return undefined
  const { graph } = await readWhole(pool, workspaceId, rules)
  return decide(graph, chosen, index, decisions)
}
