import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openWorld, type World } from '../world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

const deep = (levels: number): unknown => (levels === 0 ? 1 : { d: deep(levels - 1) })
const many = (keys: number) => Object.fromEntries(Array.from({ length: keys }, (_, index) => [`key ${index}`, index]))

/** Objects that JSON allows and columns do not like. */
const oddities: Record<string, unknown> = {
  dotted: { 'a.b': 1, a: { b: 2 } },
  dottedTwice: { 'a.b.c': 1, 'a.b': { c: 2 }, a: { 'b.c': 3 } },
  emptyKey: { '': 1, ' ': 2 },
  quoted: { '`x`': 1, "it's": 2, '"': 3, '\\': 4, 'a\nb': 5, '{x:Int8}': 6 },
  mixed: { list: [1, 'a', null, { b: 1 }, [2, [3]], 1.5, true] },
  numbers: { big: 1e308, tiny: 5e-324, long: 123456789012345680000, negative: -0, exact: 0.1 },
  types: { value: 'text' },
  typesAgain: { value: { nested: [1] } },
  typesOnceMore: { value: [[[]]] },
  deep: deep(25),
  many: many(3_000),
  prototype: JSON.parse('{"__proto__": {"x": 1}, "constructor": {"prototype": 1}}'),
  unicode: { '🙂': '\u2028\u2029', עברית: 'عربى', 'e\u0301': 'é' },
  nul: { text: 'a\u0000b' },
  surrogate: { text: '\ud800' },
  datelike: { at: '2026-01-01', later: '0000-00-00', never: '9999-99-99T99:99:99Z' },
  empty: {},
  lists: { none: [], nested: [[], {}] },
}

it('stores whatever JSON holds, keeps the pipeline going, and gives it back as it was sent', async () => {
  const calls = Object.entries(oddities).map(([name, properties]) => ({
    type: 'track',
    event: 'Odd',
    messageId: name,
    userId: 'ada',
    properties,
    traits: properties,
  }))
  await world.send(...calls)
  expect((await world.get<{ data: object[] }>('/api/v1/rejections')).data).toEqual([])
  const { data } = await world.get<{ data: { messageId: string; properties: unknown }[] }>(
    '/api/v1/profiles/user_id:ada/events?limit=100',
  )
  const stored = new Map(data.map(event => [event.messageId, event.properties]))
  expect([...stored.keys()].sort()).toEqual(Object.keys(oddities).sort())
  for (const name of Object.keys(oddities)) {
    if (name === 'nul' || name === 'surrogate') continue
    expect(stored.get(name)).toEqual(JSON.parse(JSON.stringify(oddities[name])))
  }
  expect(stored.get('nul')).toEqual({ text: 'a\uFFFDb' })
  expect(stored.get('surrogate')).toEqual({ text: '\uFFFD' })
  expect(await world.get('/api/v1/accounting')).toMatchObject({ stored: calls.length, rejected: 0 })
  const { traits } = await world.get<{ traits: Record<string, unknown> }>('/api/v1/profiles/user_id:ada')
  expect(traits.constructor).toEqual({ prototype: 1 })
})

it('stores any object that JSON can hold, a thousand made by chance', async () => {
  const anything = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 }), { maxKeys: 12, noNullPrototype: true })
  const objects = fc.sample(anything, 1_000)
  const before = await world.get<{ stored: number }>('/api/v1/accounting')
  await world.send(
    ...objects.map((properties, index) => ({
      type: 'track',
      event: 'Any',
      messageId: `any-${index}`,
      userId: 'any',
      properties,
    })),
  )
  const after = await world.get<{ stored: number; rejected: number }>('/api/v1/accounting')
  expect(after.stored - before.stored).toBe(objects.length)
  expect(after.rejected).toBe(0)
  const [row] = await world.running.context.clickhouse.query<{ events: number }>(
    "select count() as events from events where event = 'Any'",
  )
  expect(row?.events).toBe(objects.length)
}, 60_000)

it('answers a question about any property at its path', async () => {
  const rows = await world.running.context.clickhouse.query<{ nested: number }>(
    "select count() as nested from events where properties.numbers is null and message_id = 'mixed'",
  )
  expect(rows).toEqual([{ nested: 1 }])
})
