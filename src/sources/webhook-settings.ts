/**
 * Settings of webhook sources. In: JSON as someone sends it. Out: the same, checked, with each secret sealed, as the source
 * keeps it; and from there back, for showing (without secrets) and for reading deliveries (with them).
 *
 * A secret is written and never shown. What is shown in its place, `{ "id": 1 }`, may be sent back to keep it.
 */
import type { Config } from '../config.ts'
import { type Fault, Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import { SealedElsewhere, secretsOf } from '../store/secrets.ts'
import { readFaults, type WebhookSettings, webhookSettingsSchema } from './webhook/index.ts'

type KeyPlace = Pick<Config, 'dataDir' | 'secretKey'>

/** `id` counts up within a source and names one secret of it. */
type SealedSecret = { id: number; sealed: string }

const RETRY_AFTER_SECONDS = 60

/** `before`: the source's settings so far, whose secrets may be kept. Throws `invalid_request` with every fault. */
export function sealWebhookSettings(keyPlace: KeyPlace, given: JsonObject, before: JsonObject = {}): JsonObject {
  const known = sealedIn(before)
  const parsed = webhookSettingsSchema.safeParse(withoutReferences(given))
  const faults = [...unknownReferences(given, known), ...(parsed.success ? [] : readFaults(parsed.error, ''))]
  if (!parsed.success || faults.length > 0) throw notValid(faults)

  let lastId = Math.max(0, ...known.map(secret => secret.id))
  const seal = (asGiven: Json | undefined, text: string): SealedSecret => {
    const kept = known.find(secret => secret.id === referenceOf(asGiven))
    if (kept) return kept
    lastId += 1
    return { id: lastId, sealed: secretsOf(keyPlace).seal(text) }
  }
  const { secrets, verifyToken, ...open } = parsed.data
  const asGiven = listOf(given.secrets)
  return {
    ...(open as JsonObject),
    secrets: secrets.map((text, index) => seal(asGiven[index], text)),
    ...(verifyToken === undefined ? {} : { verifyToken: seal(given.verifyToken, verifyToken) }),
  }
}

/** As the API shows them: of each secret only that it is there. */
export function showWebhookSettings(stored: JsonObject): JsonObject {
  const [verifyToken] = sealedOf(stored.verifyToken)
  return {
    ...stored,
    secrets: sealedOf(stored.secrets).map(({ id }) => ({ id })),
    ...(verifyToken === undefined ? {} : { verifyToken: { id: verifyToken.id } }),
  }
}

/** Sources are kept in memory for seconds: their settings are read once for that time. */
const opened = new WeakMap<object, WebhookSettings>()

/** Throws `unavailable` where the secrets were sealed with another key: whoever sends comes again later. */
export function openWebhookSettings(keyPlace: KeyPlace, stored: JsonObject): WebhookSettings {
  const settings = opened.get(stored) ?? unsealed(keyPlace, stored)
  opened.set(stored, settings)
  return settings
}

function unsealed(keyPlace: KeyPlace, stored: JsonObject): WebhookSettings {
  try {
    const open = (part: Json | undefined) => sealedOf(part).map(secret => secretsOf(keyPlace).open(secret.sealed))
    const [verifyToken] = open(stored.verifyToken)
    return webhookSettingsSchema.parse({ ...stored, secrets: open(stored.secrets), verifyToken })
  } catch (cause) {
    if (!(cause instanceof SealedElsewhere)) throw cause
    throw new Problem('unavailable', 'The secrets of this source cannot be read by this server.', {
      hint: 'Start it with the THROUGHLINE_SECRET_KEY, or the secret.key, that they were set with; or set them again.',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      cause,
    })
  }
}

/** Stands for a secret that is kept while the rest is checked. */
const KEPT = 'kept'

function withoutReferences(given: JsonObject): JsonObject {
  const plain = (part: Json) => (referenceOf(part) === undefined ? part : KEPT)
  return {
    ...given,
    ...(Array.isArray(given.secrets) ? { secrets: given.secrets.map(plain) } : {}),
    ...(given.verifyToken === undefined ? {} : { verifyToken: plain(given.verifyToken) }),
  }
}

function unknownReferences(given: JsonObject, known: SealedSecret[]): Fault[] {
  const places = [
    ...listOf(given.secrets).map((part, index) => ({ part, path: `secrets[${index}]` })),
    { part: given.verifyToken, path: 'verifyToken' },
  ]
  return places.flatMap(({ part, path }) => {
    const id = referenceOf(part)
    return id === undefined || known.some(secret => secret.id === id)
      ? []
      : [{ path, message: 'This source has no secret of this id.' }]
  })
}

/** The id in `{ "id": 1 }`; undefined for anything else. */
function referenceOf(part: Json | undefined): number | undefined {
  return isJsonObject(part) && Object.keys(part).length === 1 && typeof part.id === 'number' ? part.id : undefined
}

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])

const isSealed = (part: unknown): part is SealedSecret =>
  isJsonObject(part) && typeof part.id === 'number' && typeof part.sealed === 'string'

const sealedOf = (part: Json | undefined): SealedSecret[] => [part].flat().filter(isSealed)

const sealedIn = (stored: JsonObject): SealedSecret[] => [...sealedOf(stored.secrets), ...sealedOf(stored.verifyToken)]

function notValid(faults: Fault[]): Problem {
  const words = faults.length === 1 ? 'One field is not valid.' : `${faults.length} fields are not valid.`
  return new Problem('invalid_request', words, { faults: faults.map(fault => faultIn('settings', fault)) })
}

/** `rules[2].event` within `settings.mapping` as the API writes paths: `settings.mapping.rules.2.event`. */
export const faultIn = (place: string, { path, message }: Fault): Fault => ({
  path: `${place}.${path.replaceAll(/\[(\d+)\]/g, '.$1')}`.replace(/\.$/, ''),
  message,
})
