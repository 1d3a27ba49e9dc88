import { describe, expect, test } from 'vitest'
import { mappingJsonSchema, parseMapping } from './mapping.ts'

const faultsOf = (document: unknown) => {
  const parsed = parseMapping(document)
  return 'faults' in parsed ? parsed.faults : []
}
const people = { name: 'people', kind: 'people', userId: '{id}' }

describe('a mapping', () => {
  test('is accepted as it stands', () => {
    expect(
      faultsOf({ ...people, traits: { email: { column: 'mail', type: 'email' }, name: '{first} {last}' } }),
    ).toEqual([])
  })

  test.each([
    ['an unknown key', { ...people, userid: 'x' }, '', /userid/],
    ['a name that is no slug', { ...people, name: 'My file' }, 'name', /lower-case/],
    ['a brace that stands alone', { ...people, userId: '{id' }, 'userId', /brace/],
    [
      'an unknown date format',
      { ...people, traits: { born: { column: 'b', type: 'date', format: 'DD/MM/YYYY' } } },
      'traits.born.format',
      /means nothing/,
    ],
    ['an unknown zone', { ...people, defaults: { zone: 'Mars/Base' } }, 'defaults.zone', /time zone/],
    [
      'a field with neither column nor text',
      { ...people, traits: { x: { type: 'string' } } },
      'traits.x',
      /column or a text/,
    ],
    [
      'a field with an option of another type',
      { ...people, traits: { x: { column: 'a', type: 'integer', zone: 'UTC' } } },
      'traits.x',
      /zone/,
    ],
    ['events without a name', { name: 'e', kind: 'events', userId: '{id}' }, 'event', /name/],
    ['companies without an id', { name: 'c', kind: 'companies' }, 'groupId', /groupId/],
    [
      'an alias without both ids',
      { name: 'a', kind: 'events', type: 'alias', userId: '{id}' },
      'previousId',
      /previousId/,
    ],
    ['people with a type of event', { ...people, type: 'track' }, 'type', /events/],
    ['a message id that is the same for all', { ...people, messageId: 'one' }, 'messageId', /one/],
    ['a second output without a name', { ...people, also: [{ kind: 'events' }] }, 'also.0.event', /name/],
    ['a condition that compares nothing', { ...people, when: { column: 'x' } }, 'when', /compared/],
    ['a field called __proto__', { ...people, traits: JSON.parse('{"a.__proto__":"x"}') }, 'traits', /__proto__/],
    [
      'a namespace that is none',
      { ...people, externalIds: { 'Card Token': '{c}' } },
      'externalIds.Card Token',
      /namespace/i,
    ],
  ])('with %s is refused, and the fault says where', (_, document, path, message) => {
    expect(faultsOf(document)).toContainEqual({ path, message: expect.stringMatching(message) })
  })

  test('is refused when it nests without end, rather than breaking the checker', () => {
    let when: unknown = { column: 'x', empty: true }
    for (let depth = 0; depth < 10_000; depth += 1) when = { not: when }
    expect(faultsOf({ ...people, when })[0]?.message).toMatch(/deeper/)
  })

  test('has a JSON Schema that editors can use', () => {
    const schema = mappingJsonSchema()
    expect(schema).toMatchObject({ type: 'object', required: expect.arrayContaining(['name', 'kind']) })
    expect(JSON.stringify(schema).length).toBeLessThan(20_000)
  })
})
