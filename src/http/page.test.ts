import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { decodeCursor, encodeCursor, pageFrom } from './page.ts'

const position = z.object({ at: z.number(), id: z.string() })

describe('cursors', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(fc.record({ at: fc.integer(), id: fc.string({ unit: 'binary' }) }), value => {
        const wellFormed = { ...value, id: value.id.toWellFormed() }
        expect(decodeCursor(position, encodeCursor(wellFormed))).toEqual(wellFormed)
      }),
    )
  })

  it('are opaque text that needs no escaping in a URL', () => {
    const cursor = encodeCursor({ at: 1, id: 'ü?&=/' })
    expect(encodeURIComponent(cursor)).toBe(cursor)
  })

  it('are refused as invalid_cursor when they are anything else', () => {
    const others = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map(json => Buffer.from(json).toString('base64url')),
    )
    fc.assert(
      fc.property(others, text => {
        try {
          expect(position.safeParse(decodeCursor(position, text)).success).toBe(true)
        } catch (error) {
          expect((error as Problem).code).toBe('invalid_cursor')
        }
      }),
    )
    expect(() => decodeCursor(position, encodeCursor({ at: 'yesterday' }))).toThrow(Problem)
  })
})

describe('pages', () => {
  it('walked to the end give every row once, in order, whatever the page size', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 12 }), (count, limit) => {
        const rows = Array.from({ length: count }, (_, id) => ({ id }))
        const seen: number[] = []
        let cursor: string | undefined
        do {
          const after = decodeCursor(z.object({ id: z.number() }), cursor)?.id ?? -1
          const page = pageFrom(rows.filter(row => row.id > after).slice(0, limit + 1), limit, row => row)
          expect(page.data.length).toBeLessThanOrEqual(limit)
          seen.push(...page.data.map(row => row.id))
          cursor = page.nextCursor ?? undefined
        } while (cursor !== undefined)
        expect(seen).toEqual(rows.map(row => row.id))
      }),
    )
  })
})
