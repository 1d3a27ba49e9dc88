import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freeSlug, SLUG_PATTERN, slugFrom } from './slug.ts'

describe('a slug', () => {
  it.each([
    ['Website', 'website'],
    ['  Müller & Söhne GmbH — Shop!  ', 'muller-sohne-gmbh-shop'],
    ['店', 'source'],
    ['', 'source'],
  ])('of %j is %s', (name, slug) => {
    expect(slugFrom(name, 'source')).toBe(slug)
  })
  it('always fits the pattern, also after a number made it free', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), fc.integer({ min: 0, max: 30 }), (name, others) => {
        const taken = new Set<string>()
        for (let made = 0; made <= others; made += 1) {
          const slug = freeSlug(slugFrom(name, 'source'), taken)
          expect(slug).toMatch(SLUG_PATTERN)
          expect(taken.has(slug)).toBe(false)
          taken.add(slug)
        }
      }),
      { numRuns: 50 },
    )
  })
})
