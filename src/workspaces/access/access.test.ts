import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKey } from './address.ts'
import { isSecureOrigin, readSessionCookie, sessionCookie } from './cookie.ts'
import { hashPassword, isPassword, NO_PASSWORD } from './password.ts'
import { hashToken, shownPrefix } from './token.ts'

describe('an address, for counting', () => {
  it.each([
    ['192.0.2.7', 'address:192.0.2.7'],
    ['::ffff:192.0.2.7', 'address:192.0.2.7'],
    ['2001:db8:1:2:aaaa:bbbb:cccc:dddd', 'address:2001:db8:1:2'],
    ['2001:db8:1:2::1', 'address:2001:db8:1:2'],
    ['2001:0db8:0001:0002::9', 'address:2001:db8:1:2'],
    ['2001:db8::1', 'address:2001:db8:0:0'],
    ['fe80::1%eth0', 'address:fe80:0:0:0'],
    ['::1', 'address:0:0:0:0'],
    ['local', 'address:local'],
  ])('%s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
})

describe('the session cookie', () => {
  it('cannot be read by scripts nor sent along from other sites, and over https only over https', () => {
    expect(sessionCookie('t', false, 60)).toBe('throughline_session=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=60')
    expect(sessionCookie('t', true, 60)).toBe(
      '__Host-throughline_session=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure',
    )
    expect([isSecureOrigin('https://a'), isSecureOrigin('http://a'), isSecureOrigin(undefined)]).toEqual([
      true,
      false,
      false,
    ])
  })
  it('is found among others, the one that other hosts cannot plant first', () => {
    expect(readSessionCookie('a=1; throughline_session=planted; __Host-throughline_session=own')).toBe('own')
    expect(readSessionCookie('a=throughline_session; throughline_session=own')).toBe('own')
    expect(readSessionCookie('xthroughline_session=no')).toBeUndefined()
    expect(readSessionCookie(undefined)).toBeUndefined()
  })
})

describe('tokens', () => {
  it('show at most a quarter of themselves, ten characters', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 128 }), token => {
        expect(shownPrefix(token).length).toBeLessThanOrEqual(Math.min(10, token.length / 4))
      }),
    )
  })
  it('are hashed with SHA-256', () => {
    expect(hashToken('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})

describe('passwords', () => {
  it('are argon2id at the cost that OWASP advises', async () => {
    expect(await hashPassword('correct horse')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })
  it('fit their own hash only; no account and no password fit nothing', async () => {
    const stored = await hashPassword('correct horse')
    const fits = [
      await isPassword(stored, 'correct horse'),
      await isPassword(stored, 'wrong horse'),
      await isPassword(undefined, 'correct horse'),
      await isPassword(NO_PASSWORD, NO_PASSWORD),
    ]
    expect(fits).toEqual([true, false, false, false])
  })
})
