import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Json } from '../../spec/json.ts'
import { rulesMax, ruleValuesMax } from './limits.ts'
import { webhookMappingSchema } from './mapping.ts'
import { readFaults } from './schema-faults.ts'

const rule = (event: object, more: object = {}) => ({
  name: 'one',
  event: { type: 'track', event: 'X', ...event },
  ...more,
})
const property = (value: unknown) => ({ rules: [rule({ properties: { p: value } })] })
const condition = (when: unknown) => ({ rules: [rule({}, { when })] })

function faultsOf(mapping: unknown): string[] {
  const parsed = webhookMappingSchema.safeParse(mapping)
  return parsed.success ? [] : readFaults(parsed.error).map(({ path, message }) => `${path}: ${message}`)
}

describe('a mapping', () => {
  test('may hold constants, nested values and expressions, and properties called path or value', () => {
    const mapping = {
      deliveryId: { path: '$.id' },
      rules: [
        rule(
          {
            properties: {
              path: { path: '$.p' },
              value: 7,
              page: { path: { path: '$.p' }, title: 'T' },
              list: [1, { path: '$.x', as: ['trim', { lookup: { a: 'b' }, otherwise: null }] }],
              literal: { constant: { path: 'not a path' } },
              first: {
                firstOf: [{ difference: [{ path: '$.a' }, 1] }, { collect: '$.l[*].m', as: 'sum' }],
                default: 0,
              },
            },
          },
          {
            each: '$.l[*]',
            when: { all: [{ path: '@.k', exists: true }, { not: { path: '@.k', in: [1, 'a', null] } }] },
          },
        ),
      ],
    }
    expect(webhookMappingSchema.parse(mapping)).toEqual(mapping)
  })

  test.each<[string, unknown, string[]]>([
    [
      'an unknown option',
      property({ path: '$.x', defualt: 1 }),
      ['rules[0].event.properties.p: "defualt" is not known here.'],
    ],
    [
      'a path without root',
      property({ path: 'x.y' }),
      ['rules[0].event.properties.p.path: The path must begin with $ (the body), @ (the element), @parent or headers.'],
    ],
    [
      'a wildcard in a value',
      property({ firstOf: [{ path: '$.x[*]' }] }),
      ['rules[0].event.properties.p.firstOf[0].path: [*] may stand only in "each" and "collect".'],
    ],
    [
      'a path into the language',
      property({ path: '$.__proto__' }),
      ['rules[0].event.properties.p.path: The path may not use the name "__proto__".'],
    ],
    [
      'a condition that says nothing',
      condition({ path: '$.a' }),
      ['rules[0].when: This has none of the forms that may stand here.'],
    ],
    ['a misspelt comparison', condition({ path: '$.a', equls: 1 }), ['rules[0].when: "equls" is not known here.']],
    [
      'a nameless track',
      { rules: [rule({ event: undefined })] },
      ['rules[0].event.event: A track event needs a name.'],
    ],
    ['two rules of one name', { rules: [rule({}), rule({})] }, ['rules[1].name: Another rule has this name.']],
    [
      'an unknown namespace spelling',
      { rules: [rule({ externalIds: { 'Card Token': 'x' } })] },
      ['rules[0].event.externalIds.Card Token: Invalid key in record'],
    ],
    ['no rules', { rules: [] }, ['rules: Too small: expected array to have >=1 items']],
    ['something else', 'text', ['mapping: Invalid input: expected object, received string']],
  ])('with %s is refused, with the place', (_title, mapping, faults) => expect(faultsOf(mapping)).toEqual(faults))

  test('with an unknown conversion is told the known ones', () => {
    expect(faultsOf(property({ path: '$.x', as: ['trim', 'nummer'] }))).toEqual([
      expect.stringMatching(
        /^rules\[0\]\.event\.properties\.p\.as\[1\]: Invalid option: expected one of "string"\|"number"/,
      ),
    ])
  })

  test('may not name properties after the language', () => {
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const properties = JSON.parse(`{ "nested": { "${name}": { "x": 1 } } }`)
      const parsed = webhookMappingSchema.safeParse({ rules: [rule({ properties })] })
      expect(JSON.stringify(parsed.data ?? {})).not.toContain('"x":1')
    }
  })

  test('has limits: rules, values of a rule, depth', () => {
    const rules = Array.from({ length: rulesMax + 1 }, (_, index) => ({ ...rule({}), name: `r${index}` }))
    expect(faultsOf({ rules })).toEqual([`rules: Too big: expected array to have <=${rulesMax} items`])
    expect(faultsOf(property(Array.from({ length: ruleValuesMax }, () => 1)))).toEqual([
      `rules[0]: The rule holds more than ${ruleValuesMax} values.`,
    ])
    let bomb: Json = 1
    for (let depth = 0; depth < 100_000; depth++) bomb = [bomb]
    expect(faultsOf(property(bomb))).toEqual(['mapping: The mapping is nested deeper than 24 levels.'])
  })

  test('is described as JSON Schema for the API', () => {
    const schema = z.toJSONSchema(webhookMappingSchema, { io: 'input' })
    expect(schema).toMatchObject({ type: 'object', properties: { rules: { type: 'array' } }, required: ['rules'] })
  })
})
