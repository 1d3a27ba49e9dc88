import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { SealedElsewhere, secretsOf } from './secrets.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'tl-secrets-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

describe('a sealed secret', () => {
  test('opens again in another process on the same folder, and shows nothing', () => {
    for (const text of ['whsec_northwind', '', 'ключ 🔑', 'x'.repeat(500)]) {
      const sealed = secretsOf({ dataDir }).seal(text)
      expect(secretsOf({ dataDir }).open(sealed)).toBe(text)
      expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]+$/)
      if (text !== '') expect(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').includes(text)).toBe(false)
    }
  })

  test('never looks the same twice', () => {
    const { seal } = secretsOf({ dataDir })
    expect(seal('same')).not.toBe(seal('same'))
  })

  test('opens under no other key, and not when anything of it was changed', () => {
    const { seal, open } = secretsOf({ dataDir, secretKey: 'a key of at least 32 characters, one' })
    const sealed = seal('whsec_northwind')
    const other = secretsOf({ dataDir, secretKey: 'a key of at least 32 characters, two' })
    expect(() => other.open(sealed)).toThrow(SealedElsewhere)
    const [version, name, body = ''] = sealed.split('.')
    const flipped = Buffer.from(body, 'base64url').map((byte, index) => (index === 14 ? byte ^ 1 : byte))
    for (const wrong of [flipped.toString(), Buffer.from(flipped).toString('base64url'), body.slice(0, 10), '']) {
      expect(() => open([version, name, wrong].join('.'))).toThrow(SealedElsewhere)
    }
    expect(() => open('whsec_northwind')).toThrow(SealedElsewhere)
  })
})

describe('the key in the data folder', () => {
  test('is for its owner alone', () => {
    secretsOf({ dataDir }).seal('x')
    expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(dataDir, 'secret.key'), 'utf8')).toMatch(/^[\w-]{43}\n$/)
  })

  test('that was emptied is not taken for a key', () => {
    const damaged = mkdtempSync(join(tmpdir(), 'tl-secrets-'))
    writeFileSync(join(damaged, 'secret.key'), '')
    expect(() => secretsOf({ dataDir: damaged })).toThrow('no key')
    rmSync(damaged, { recursive: true })
  })
})
