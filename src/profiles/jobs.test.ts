import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPostgres } from '../../test/engines.ts'
import type { Postgres } from '../store/postgres.ts'
import type { CounterDelta, FragmentDelta } from './deltas.ts'
import { canonical, fragmentOf } from './fragment.ts'
import { settleCounters, settleFragments } from './jobs.ts'
import { groupByNode } from './owned.ts'
import { appendCounters, appendFragments, readCounters, readFragments } from './store.ts'

let postgres: Postgres
let drop: () => Promise<void>
beforeAll(async () => {
  const fresh = await freshPostgres()
  postgres = fresh.pool
  drop = fresh.drop
})
afterAll(() => drop())

const NODES = [1, 2, 3]
const fragmentDelta = fc
  .record({
    node: fc.constantFrom(...NODES),
    source: fc.constantFrom('web', 'shop'),
    value: fc.integer({ min: 0, max: 3 }),
    at: fc.integer({ min: 0, max: 9 }),
    id: fc.nat(99),
  })
  .map(
    ({ node, source, value, at, id }): FragmentDelta => ({
      node,
      source,
      keeping: node === 3 ? 'by-message' : 'by-value',
      fragment: fragmentOf({ plan: value }, at, `m${id}`),
    }),
  )
const counterDelta = fc
  .record({
    node: fc.constantFrom(...NODES),
    events: fc.integer({ min: 1, max: 9 }),
    firstAt: fc.integer({ min: 0, max: 1e9 }),
    lastAt: fc.integer({ min: 1e9, max: 2e9 }),
  })
  .map((delta): CounterDelta => delta)
const block = fc.record({
  fragments: fc.uniqueArray(fragmentDelta, { maxLength: 5, selector: one => `${one.node} ${one.source}` }),
  counters: fc.uniqueArray(counterDelta, { maxLength: 3, selector: one => one.node }),
  settles: fc.boolean(),
})

async function state(workspaceId: number) {
  const fragments = groupByNode(await readFragments(postgres, workspaceId, NODES))
  const rows = [...fragments.values()].flat().sort((a, b) => a.node - b.node || (a.source < b.source ? -1 : 1))
  return canonical(
    JSON.parse(
      JSON.stringify([
        rows.map(({ node, source, fragment }) => ({ node, source, fragment })),
        await readCounters(postgres, workspaceId, NODES),
      ]),
    ),
  )
}

let workspaceId = 100
it('reads the same whether and whenever what was appended is settled', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(block, { minLength: 1, maxLength: 6 }), async blocks => {
      const [settled, plain] = [++workspaceId, ++workspaceId]
      for (const [index, { fragments, counters, settles }] of blocks.entries()) {
        for (const workspace of [settled, plain]) {
          await appendFragments(postgres, workspace, index, fragments)
          await appendCounters(postgres, workspace, index, counters)
        }
        if (!settles) continue
        // Both workspaces are settled; the other one is compared before it is.
        const before = await state(plain)
        await settleFragments({ postgres })
        await settleCounters({ postgres })
        expect(await state(settled)).toBe(before)
        expect(await state(plain)).toBe(before)
      }
    }),
    { numRuns: 60 },
  )
  await settleFragments({ postgres })
  const left = await postgres.query('select 1 from profiles.fragment_delta')
  expect(left.rowCount).toBe(0)
})
