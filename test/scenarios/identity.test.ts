import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decideMerge, decideSplit, decideUndo, explainProfile, type NodeId } from '../../src/identity/index.ts'
import { rebuildIdentity, writeRebuilt } from '../../src/identity/rebuild.ts'
import type { IdentityEvent, IdentityInput } from '../../src/identity/resolve-batch.ts'
import { currentIdentifiers, membersOf, profilesOfNodes, readMap } from '../../src/identity/store-members.ts'
import { readRulesVersion, writeRules } from '../../src/identity/store-rules.ts'
import { defaultIdentityRules, parseIdentifierKey } from '../../src/spec/identifier.ts'
import { type Postgres, transaction } from '../../src/store/postgres.ts'
import { freshPostgres } from '../engines.ts'
import { identityKey, LiveIdentity, type Memory } from '../identity-live.ts'
import { readWhole } from '../identity-rows.ts'
import {
  acted,
  anyRules,
  arrival,
  events,
  rebuild,
  rulesWith,
  runs,
  signature,
  signatureOf,
} from '../identity-world.ts'

/** Histories through PostgreSQL take some 10 ms each. */
const histories = Math.ceil(runs * 0.15)
const rebuilds = Math.ceil(runs * 0.03)
const tryLong = 600_000

let pool: Postgres
let drop: () => Promise<void>
let workspaces = 0
beforeAll(async () => {
  const fresh = await freshPostgres()
  pool = fresh.pool
  drop = fresh.drop
})
afterAll(() => drop())

const newWorkspace = () => {
  workspaces += 1
  return workspaces
}

/** The batches of a history with its decisions, which are made from how things stand. */
function batchesOf(...[all, how, rules]: Parameters<typeof acted>): IdentityInput[][] {
  const batches: IdentityInput[][] = []
  acted(all, how, rules, batch => batches.push(batch))
  return batches
}

describe('identity in PostgreSQL', () => {
  it(
    'is after any history what a rebuild would give, whatever it remembers between batches',
    async () => {
      const memories = fc.constantFrom<Memory>('good', 'poor', 'none')
      await fc.assert(
        fc.asyncProperty(events, arrival, anyRules, memories, async (all, how, rules, memory) => {
          const workspaceId = newWorkspace()
          const live = new LiveIdentity(pool, workspaceId, rules, memory)
          for (const batch of batchesOf(all, how, rules)) await live.take(batch)
          const { graph, refusals } = await readWhole(pool, workspaceId, rules)
          expect(signature(graph, live.past, refusals)).toEqual(signatureOf(rebuild(live.past, rules), live.past))
        }),
        { numRuns: histories },
      )
    },
    tryLong,
  )

  it(
    'applies changed rules to all that ever happened, keeps the numbers of nodes, and tells the map what moved',
    async () => {
      await fc.assert(
        fc.asyncProperty(events, arrival, anyRules, async (all, how, changed) => {
          const workspaceId = newWorkspace()
          const live = new LiveIdentity(pool, workspaceId, rulesWith({}))
          for (const batch of batchesOf(all, how, rulesWith({}))) await live.take(batch)
          const before = await readWhole(pool, workspaceId, changed)
          const nodes = [...before.graph.nodes()].map(node => node.id).sort((x, y) => x - y)
          const map = new Map((await readMap(pool, workspaceId, nodes)).map(one => [one.node, one]))

          async function* batches() {
            yield live.past.slice(0, 3)
            yield live.past.slice(3)
          }
          const options = { workspaceId, identityKey, rules: changed }
          const moved = await transaction(pool, async client =>
            writeRebuilt(client, await rebuildIdentity(client, options, batches)),
          )
          const { graph, refusals } = await readWhole(pool, workspaceId, changed)
          expect(signature(graph, live.past, refusals)).toEqual(signatureOf(rebuild(live.past, changed), live.past))
          expect([...graph.nodes()].map(node => node.id).sort((x, y) => x - y)).toEqual(nodes)
          for (const change of moved) map.set(change.node, change)
          expect([...map.values()]).toEqual(await inOrder(map.keys(), await readMap(pool, workspaceId, nodes)))
        }),
        { numRuns: rebuilds },
      )
    },
    tryLong,
  )

  it(
    'tells of each profile its identifiers, and of each identifier its profile',
    async () => {
      await fc.assert(
        fc.asyncProperty(events, arrival, async (all, how) => {
          const workspaceId = newWorkspace()
          const live = new LiveIdentity(pool, workspaceId, defaultIdentityRules)
          for (const batch of batchesOf(all, how, defaultIdentityRules)) await live.take(batch)
          const { graph } = await readWhole(pool, workspaceId, defaultIdentityRules)
          const nodes = [...graph.nodes()].map(node => node.id)
          const profiles = new Set((await profilesOfNodes(pool, workspaceId, nodes)).values())
          const members = await membersOf(pool, workspaceId, [...profiles])
          for await (const identifiers of currentIdentifiers(pool, workspaceId)) {
            for (const { namespace, value, profile } of identifiers) {
              const held = members.get(profile)?.map(member => `${member.namespace}:${member.value}`)
              expect(held).toContain(`${namespace}:${value}`)
            }
          }
        }),
        { numRuns: rebuilds },
      )
    },
    tryLong,
  )
})

/** These rows in the order of these nodes. */
async function inOrder<Row extends { node: NodeId }>(nodes: Iterable<NodeId>, rows: Row[]): Promise<Row[]> {
  return [...nodes].flatMap(node => rows.find(row => row.node === node) ?? [])
}

describe('an explanation', () => {
  const hour = 3_600_000
  const start = Date.UTC(2025, 0)
  const told = (type: IdentityEvent['type'], at: number, ...keys: string[]): IdentityEvent => ({
    ...{ messageId: `m${at}`, at: start + at * hour, type, source: 'web' },
    identifiers: keys.flatMap(key => parseIdentifierKey(key) ?? []),
  })
  const name = ({ namespace, value }: { namespace: string; value: string }) => `${namespace}:${value}`

  async function explained(inputs: IdentityInput[], key: string) {
    const workspaceId = newWorkspace()
    const live = new LiveIdentity(pool, workspaceId, defaultIdentityRules)
    for (const input of inputs) await live.take([input])
    const { graph } = await readWhole(pool, workspaceId, defaultIdentityRules)
    const profile = graph.find(parseIdentifierKey(key) ?? { namespace: '', value: '' })?.id ?? 0
    const { links, refusals, decisions } = await explainProfile(pool, workspaceId, profile)
    return {
      ...{ workspaceId, live, profile, decisions },
      links: links.map(({ kind, a, b, messageId }) => [kind, name(a), name(b), messageId].join(' ')),
      refusals: refusals.map(({ a, b, rule, messageId }) => [rule, name(a), name(b), messageId].join(' ')),
    }
  }

  it('shows each link with its event, and each refusal with its rule', async () => {
    const { links, refusals } = await explained(
      [
        told('track', 1, 'anonymous_id:tablet', 'phone:+14155552671'),
        told('identify', 2, 'anonymous_id:tablet', 'user_id:grace', 'email:grace@example.com'),
        told('identify', 3, 'anonymous_id:tablet', 'user_id:ada', 'email:grace@example.com'),
        told('track', 4, 'anonymous_id:tablet', 'phone:+14155552671'),
        ...Array.from({ length: 5 }, (_, index) =>
          told('identify', 5 + index, 'user_id:grace', `email:g${index}@example.com`),
        ),
      ],
      'user_id:grace',
    )
    expect(links).toEqual([
      'link phone:+14155552671 anonymous_id:tablet m1',
      'claim anonymous_id:tablet user_id:grace m2',
      'claim email:grace@example.com user_id:grace m2',
      ...[0, 1, 2, 3].map(index => `claim email:g${index}@example.com user_id:grace m${5 + index}`),
    ])
    expect(refusals).toEqual([
      'holder email:grace@example.com user_id:ada m3',
      'other_time anonymous_id:tablet user_id:ada m3',
      'unique phone:+14155552671 anonymous_id:tablet m4',
      'limit email:g4@example.com user_id:grace m9',
    ])
  })

  it('tells what operators decided, and what stands in the way of it', async () => {
    const inputs = [told('identify', 1, 'user_id:ada', 'anonymous_id:laptop'), told('identify', 2, 'user_id:ada.work')]
    const { workspaceId, live, profile } = await explained(inputs, 'user_id:ada')
    const { graph } = await readWhole(pool, workspaceId, defaultIdentityRules)
    const other = graph.find({ namespace: 'user_id', value: 'ada.work' })?.id ?? 0
    const head = (id: string, at: number) => ({ id, at: start + at * hour, by: 'operator' })

    expect(await decideMerge(pool, workspaceId, [profile, profile], head('d0', 10))).toBe('same_profile')
    expect(await decideMerge(pool, workspaceId, [profile, 999_999], head('d0', 10))).toBe('not_in_profile')
    const merge = await decideMerge(pool, workspaceId, [profile, other], head('d1', 10))
    if (typeof merge === 'string') throw new Error(merge)
    await live.take([merge])
    expect((await membersOf(pool, workspaceId, [profile])).get(profile)?.map(name)).toEqual([
      'user_id:ada',
      'user_id:ada.work',
      'anonymous_id:laptop',
    ])
    const out = [{ namespace: 'anonymous_id', value: 'laptop' }]
    const missing = [{ namespace: 'email', value: 'x@example.com' }]
    const split = { profile, out }
    expect(await decideSplit(pool, workspaceId, { profile, out: missing }, head('d2', 11))).toBe('not_in_profile')
    expect(await decideSplit(pool, workspaceId, { profile, out: [] }, head('d2', 11))).toBe('nothing_to_split')
    const everything = ['ada', 'ada.work'].map(value => ({ namespace: 'user_id', value }))
    expect(await decideSplit(pool, workspaceId, { profile, out: [...everything, ...out] }, head('d2', 11))).toBe(
      'everything_moved',
    )
    const made = await decideSplit(pool, workspaceId, split, head('d2', 11))
    if (typeof made === 'string') throw new Error(made)
    await live.take([made])
    const { decisions, refusals } = await explainProfile(pool, workspaceId, profile)
    expect(decisions.map(({ decision }) => decision)).toEqual([made, merge])
    expect(refusals.map(({ rule, messageId }) => [rule, messageId])).toContainEqual(['split', 'm1'])

    expect(await decideUndo(pool, workspaceId, 'd9', head('d3', 12))).toBe('unknown_decision')
    const undo = await decideUndo(pool, workspaceId, 'd2', head('d3', 12))
    if (typeof undo === 'string') throw new Error(undo)
    await live.take([undo])
    expect(await decideUndo(pool, workspaceId, 'd2', head('d4', 13))).toBe('already_undone')
    expect((await explainProfile(pool, workspaceId, profile)).decisions[0]).toMatchObject({
      undoneAt: start + 12 * hour,
    })
  })
})

describe('the rules of a workspace', () => {
  it('are the defaults until changed; each change is a version', async () => {
    const workspaceId = newWorkspace()
    expect(await readRulesVersion(pool, workspaceId)).toMatchObject({ version: 0, rules: defaultIdentityRules })
    const rules = rulesWith({ emailLimit: 1 })
    const made = { at: new Date(Date.UTC(2025, 0)), by: 'operator' }
    expect(await writeRules(pool, workspaceId, rules, made)).toBe(1)
    expect(await writeRules(pool, workspaceId, rulesWith({ crowd: 7 }), made)).toBe(2)
    expect(await readRulesVersion(pool, workspaceId)).toMatchObject({ version: 2, rules: { crowd: 7 } })
  })
})
