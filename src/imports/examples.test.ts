import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type MappedRow, mapRow } from './map-row.ts'
import { type Mapping, parseMapping } from './mapping.ts'
import { prepareMapping } from './prepare.ts'
import { openRows, readLookups } from './read.ts'

const examples = join(import.meta.dirname, '../../examples')

function readMapping(file: string): Mapping {
  const parsed = parseMapping(JSON.parse(readFileSync(join(examples, file), 'utf8')))
  if ('faults' in parsed) throw new Error(`${file}: ${JSON.stringify(parsed.faults)}`)
  return parsed.mapping
}

describe('an example', () => {
  const files = readdirSync(examples).filter(file => file.endsWith('.json'))

  test.each(files)('%s is a valid mapping, named after its file, that says what it is for', file => {
    const mapping = readMapping(file)
    expect(`${mapping.name}.json`).toBe(file)
    expect(mapping.comment).toBeTruthy()
    expect(readFileSync(join(examples, 'README.md'), 'utf8')).toContain(file)
  })

  test('contacts.csv becomes people, with a reason for each row that does not', async () => {
    const mapping = readMapping('contacts.json')
    const prepared = prepareMapping(mapping, await readLookups(mapping, file => join(examples, file)))
    const opened = await openRows(join(examples, 'contacts.csv'), { format: mapping.format ?? {} })
    const mapped: MappedRow[] = []
    for await (const row of opened.rows) mapped.push(mapRow(prepared, row))
    expect(mapped.map(each => each.reject?.reason)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'no_identifier',
      'invalid_email',
    ])
    expect(mapped[0]?.events).toEqual([
      {
        messageId: expect.any(String),
        type: 'identify',
        userId: '1001',
        timestamp: '2024-03-01T08:15:00.000Z',
        traits: {
          email: 'ada@example.com',
          phone: '+46701740605',
          name: 'Ada Lindqvist',
          firstName: 'Ada',
          lastName: 'Lindqvist',
          birthday: '1979-11-02',
          company: { name: 'Northwind AB' },
          address: { city: 'Lund', country: 'Sweden' },
          newsletter: true,
          tags: ['vip', 'cycling'],
        },
      },
    ])
    expect(mapped[2]?.events?.[0]).toMatchObject({
      traits: { email: 'tomas@example.com', company: { name: 'Herrera, Soto & Co' } },
    })
    expect(mapped[2]?.events?.[0]).not.toHaveProperty('userId')
  })
})
