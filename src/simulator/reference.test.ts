import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { planted, SIMULATOR_VERSION, salespeople } from './planted.ts'
import { companions } from './product-data.ts'

const reference = readFileSync(new URL('../../docs/reference/simulator.md', import.meta.url), 'utf8')

const isFlat = (value: object): boolean => Object.values(value).every(member => typeof member === 'number')

/** Every figure as the reference prints it: `group.key`, and its value. */
const rowsOf = (value: unknown, path: string): string[] => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [`| \`${path}\` | ${JSON.stringify(value)} |`]
  }
  if (isFlat(value) && path.includes('.')) {
    const members = Object.entries(value).map(([key, member]) => `${key} ${member}`)
    return [`| \`${path}\` | ${members.join(', ')} |`]
  }
  return Object.entries(value).flatMap(([key, member]) => rowsOf(member, path === '' ? key : `${path}.${key}`))
}

describe('the reference', () => {
  test('lists every planted figure with its value, and no other', () => {
    const rows = rowsOf(planted, '')
    expect(rows.length).toBeGreaterThan(120)
    for (const row of rows) expect(reference).toContain(row)
    expect(reference.match(/^\| `(?:[a-z]+\.|socialComments)/gm)?.length).toBe(rows.length)
  })

  test('lists companions, salespeople and the version', () => {
    for (const pair of companions) expect(reference).toContain(`| ${pair.with} | ${pair.take} | ${pair.probability} |`)
    for (const rep of salespeople) expect(reference).toContain(`| ${rep.name} | ${rep.team} | ${rep.skill} |`)
    expect(reference).toContain(`Version ${SIMULATOR_VERSION} of the simulator`)
  })
})
