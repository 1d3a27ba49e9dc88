import fc from 'fast-check'
import { expect, it } from 'vitest'
import { profileIdOf, publicIdOf, publicIdOfProfile } from './profile-id.ts'

const key = Buffer.alloc(32, 1)
const ada = { namespace: 'email', value: 'ada@example.com' }

it('is the same for the same identifier under the same key only', () => {
  expect(publicIdOf(key, ada)).toBe(publicIdOf(key, { ...ada }))
  expect(publicIdOf(Buffer.alloc(32, 2), ada)).not.toBe(publicIdOf(key, ada))
  expect(publicIdOf(key, { namespace: 'phone', value: ada.value })).not.toBe(publicIdOf(key, ada))
  expect(publicIdOf(key, { namespace: 'a', value: 'bc' })).not.toBe(publicIdOf(key, { namespace: 'ab', value: 'c' }))
})

it('reads as p_ and 26 letters and digits, and back', () => {
  fc.assert(
    fc.property(fc.uuid(), publicId => {
      const id = profileIdOf(publicId)
      expect(id).toMatch(/^p_[a-z2-7]{26}$/)
      expect(publicIdOfProfile(id)).toBe(publicId)
    }),
  )
})

it('is refused where it is no profile id', () => {
  const id = profileIdOf(publicIdOf(key, ada))
  for (const text of [
    '',
    'p_',
    id.slice(2),
    `${id}a`,
    id.toUpperCase(),
    id.slice(0, -1).concat('1'),
    `p_${'7'.repeat(26)}`,
  ]) {
    expect(publicIdOfProfile(text)).toBeUndefined()
  }
})
