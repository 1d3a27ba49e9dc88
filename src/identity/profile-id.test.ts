import { createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { profileIdOf, publicIdOf, publicIdOfProfile } from './profile-id.ts'

const identifier = fc.record({ namespace: fc.string(), value: fc.string({ unit: 'grapheme', maxLength: 300 }) })

it('is the first half of the HMAC of namespace and value under the key of the workspace, whatever its length', () => {
  fc.assert(
    fc.property(identifier, fc.uint8Array({ minLength: 1, maxLength: 150 }), ({ namespace, value }, key) => {
      const expected = createHmac('sha256', key).update(`${namespace}\0${value}`).digest('hex').slice(0, 32)
      expect(publicIdOf(key, { namespace, value }).replaceAll('-', '')).toBe(expected)
    }),
  )
})

it('reads a profile id back, and no other text as one', () => {
  const key = randomBytes(32)
  fc.assert(
    fc.property(identifier, one => {
      const publicId = publicIdOf(key, one)
      const id = profileIdOf(publicId)
      expect(id).toMatch(/^p_[a-z2-7]{26}$/)
      expect(publicIdOfProfile(id)).toBe(publicId)
      expect(publicIdOfProfile(`${id}a`)).toBeUndefined()
      expect(publicIdOfProfile(id.toUpperCase())).toBeUndefined()
    }),
  )
})
