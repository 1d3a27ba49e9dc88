/**
 * Secrets of other systems at rest (docs/decisions/004-secrets-at-rest.md). In: a text that must not stand readable in the
 * database or its backups. Out: the same sealed with AES-256-GCM, and back.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'

export interface Secrets {
  /** `v1.<which key>.<nonce, ciphertext and tag in base64url>`; never twice the same. */
  seal(text: string): string
  /** Throws `SealedElsewhere` when another key sealed it or something changed it. */
  open(sealed: string): string
}

export class SealedElsewhere extends Error {}

const KEY_FILE = 'secret.key'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1'
const CIPHER = 'aes-256-gcm'

const known = new WeakMap<object, Secrets>()

/** By THROUGHLINE_SECRET_KEY, or by a key that is made at first use and kept in the data folder, for its owner alone. */
export function secretsOf(config: Pick<Config, 'dataDir' | 'secretKey'>): Secrets {
  const secrets = known.get(config) ?? openSecrets(config.secretKey ?? keyInFolder(config.dataDir))
  known.set(config, secrets)
  return secrets
}

function openSecrets(keyText: string): Secrets {
  const key = createHash('sha256').update(keyText).digest()
  // Says which key it takes without saying anything about it.
  const keyName = createHash('sha256').update(key).digest('hex').slice(0, 8)
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, key, nonce)
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return [VERSION, keyName, body.toString('base64url')].join('.')
    },
    open(sealed) {
      const [version, name, text = ''] = sealed.split('.')
      if (version !== VERSION || name !== keyName) throw new SealedElsewhere('sealed with another key')
      const body = Buffer.from(text, 'base64url')
      try {
        const decipher = createDecipheriv(CIPHER, key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        decipher.setAuthTag(body.subarray(-TAG_BYTES))
        const plain = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES))
        return Buffer.concat([plain, decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new SealedElsewhere('changed since it was sealed', { cause })
      }
    },
  }
}

/** Read or, the first time, made; whoever makes it first wins. */
function keyInFolder(dataDir: string): string {
  const path = join(dataDir, KEY_FILE)
  try {
    writeFileSync(path, `${randomBytes(KEY_BYTES).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const key = readFileSync(path, 'utf8').trim()
  if (key.length < KEY_BYTES) throw new Error(`${path} is no key: restore it, or remove it and set the secrets again`)
  return key
}
