/** Identity on a real PostgreSQL, batch after batch, each in its transaction: in, events and decisions; out, the rows. */
import { type Identity, openIdentity, type Resolved } from '../src/identity/index.ts'
import type { IdentityInput } from '../src/identity/resolve-batch.ts'
import type { HistoryEvent } from '../src/identity/step.ts'
import type { IdentityRules } from '../src/spec/identifier.ts'
import { type Postgres, transaction } from '../src/store/postgres.ts'

export const identityKey = Buffer.alloc(32, 7)

/** What is remembered between batches: everything, a few nodes, or nothing. */
export type Memory = 'good' | 'poor' | 'none'

export class LiveIdentity {
  readonly past: IdentityInput[] = []
  readonly #pool: Postgres
  readonly #identity: Identity
  readonly #memory: Memory
  readonly #history: (HistoryEvent & { every: number[] })[] = []

  constructor(pool: Postgres, workspaceId: number, rules: IdentityRules, memory: Memory = 'good') {
    this.#pool = pool
    this.#memory = memory
    this.#identity = openIdentity({
      workspaceId,
      identityKey,
      rules,
      ...(memory === 'poor' ? { cachedNodesMax: 3 } : {}),
      fullHistory: async (device, partners) => {
        const hubs = new Set([device, ...partners])
        return this.#history.filter(event => hubs.has(event.hub) && event.every.includes(device))
      },
    })
  }

  async take(batch: IdentityInput[]): Promise<Resolved> {
    if (this.#memory === 'none') this.#identity.forget()
    const resolved = await transaction(this.#pool, async client => {
      const resolved = await this.#identity.resolve(client, batch)
      await this.#identity.write(client, resolved)
      return resolved
    })
    for (const [index, input] of batch.entries()) {
      const event = resolved.events[index]
      if ('kind' in input || !event || this.#history.some(one => one.messageId === input.messageId)) continue
      const { messageId, at, type, source } = input
      this.#history.push({ messageId, at, type, source, ...event, every: [event.hub, ...event.nodes] })
    }
    this.past.push(...batch)
    return resolved
  }
}
