/**
 * Signatures of webhooks: how a sender signs, its secret and the request as received come in; genuine or why not goes
 * out. Signs the raw bytes, never JSON written anew. Comparisons take the same time whatever they compare.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** A signed time further away than this is refused: what Stripe and Standard Webhooks recommend against replays. */
const signatureToleranceSeconds = 300
/** Signatures looked at in one request; rotation needs two. */
export const signaturesMax = 10

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'A header name has letters, digits and hyphens.')
const parameterName = z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/, 'A parameter name has letters, digits, _ . and -.')

/**
 * `stripe`: Stripe-Signature · `shopify`: X-Shopify-Hmac-Sha256 · `meta`: X-Hub-Signature-256 (Facebook, Instagram,
 * WhatsApp) · `standard-webhooks`: webhook-id, -timestamp and -signature (also as svix-…) · `hmac`: any header that holds
 * an HMAC of the body · `token`: a shared secret in a header or query parameter · `none`: only the write key in the URL.
 */
export const signatureSchemeSchema = z.discriminatedUnion('scheme', [
  z.strictObject({ scheme: z.literal('stripe') }),
  z.strictObject({ scheme: z.literal('shopify') }),
  z.strictObject({ scheme: z.literal('meta') }),
  z.strictObject({ scheme: z.literal('standard-webhooks') }),
  z.strictObject({
    scheme: z.literal('hmac'),
    header: headerName,
    algorithm: z.enum(['sha256', 'sha512', 'sha1']),
    encoding: z.enum(['hex', 'base64']),
    /** What stands before the signature, such as `sha256=`. */
    prefix: z.string().max(50).optional(),
  }),
  z.strictObject({
    scheme: z.literal('token'),
    in: z.enum(['header', 'query']),
    name: parameterName,
    /** What stands before the token, such as `Bearer `. */
    prefix: z.string().max(50).optional(),
  }),
  z.strictObject({ scheme: z.literal('none') }),
])
export type SignatureScheme = z.infer<typeof signatureSchemeSchema>

export type SignatureFault =
  | 'secret_missing'
  | 'secret_malformed'
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_mismatch'
  | 'timestamp_too_old'
  | 'timestamp_too_new'

export type SignatureCheck = { ok: true } | { ok: false; reason: SignatureFault }

export interface SignedRequest {
  rawBody: Uint8Array
  /** Names in any case. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  query: Readonly<Record<string, string | string[] | undefined>>
}

/** `secret`: one, or several while one replaces another: any of them may have signed. `nowMs`: since 1970. */
export function verifySignature(
  scheme: SignatureScheme,
  secret: string | readonly string[],
  request: SignedRequest,
  nowMs: number,
): SignatureCheck {
  if (scheme.scheme === 'none') return { ok: true }
  const secrets = (typeof secret === 'string' ? [secret] : secret).filter(text => text !== '')
  if (secrets.length === 0) return failed('secret_missing')
  if (scheme.scheme === 'token') return verifyToken(scheme, secrets, request)

  const signed = readSigned(scheme, request)
  if ('reason' in signed) return failed(signed.reason)
  const keys = secrets.map(text => keyOf(scheme, text))
  if (keys.some(key => key.length === 0)) return failed('secret_malformed')
  const expected = keys.map(key => {
    const hmac = createHmac(signed.algorithm, key).update(signed.before)
    return hmac.update(request.rawBody).digest()
  })
  if (!anyEqual(expected, signed.signatures)) return failed('signature_mismatch')
  return checkTime(signed.seconds, nowMs)
}

/** What a request claims: the signatures given, and what beside the body they sign. */
interface Signed {
  algorithm: 'sha256' | 'sha512' | 'sha1'
  signatures: Buffer[]
  /** Text that is signed before the body. */
  before: string
  /** Signed time in seconds since 1970, where the scheme has one. */
  seconds?: number
}

type HmacScheme = Exclude<SignatureScheme, { scheme: 'none' | 'token' }>

function readSigned(scheme: HmacScheme, request: SignedRequest): Signed | { reason: SignatureFault } {
  if (scheme.scheme === 'stripe') return readStripe(request)
  if (scheme.scheme === 'standard-webhooks') return readStandardWebhooks(request)
  const { header, encoding, prefix = '', algorithm } = scheme.scheme === 'hmac' ? scheme : plainSchemes[scheme.scheme]
  const text = headerOf(request, header)
  if (text === undefined) return { reason: 'signature_missing' }
  const signature = text.startsWith(prefix) ? decode(text.slice(prefix.length).trim(), encoding) : undefined
  return signature ? { algorithm, signatures: [signature], before: '' } : { reason: 'signature_malformed' }
}

type PlainScheme = Extract<SignatureScheme, { scheme: 'hmac' }>

const plainSchemes: Readonly<Record<'shopify' | 'meta', Omit<PlainScheme, 'scheme'>>> = {
  shopify: { header: 'x-shopify-hmac-sha256', algorithm: 'sha256', encoding: 'base64' },
  meta: { header: 'x-hub-signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' },
}

/** `t=1700000000,v1=hex,v1=hex`: v1 signs `t.body`; several while a secret is rolled; v0 is only for tests. */
function readStripe(request: SignedRequest): Signed | { reason: SignatureFault } {
  const header = headerOf(request, 'stripe-signature')
  if (header === undefined) return { reason: 'signature_missing' }
  const parts = header.split(',').map(part => part.trim().split('=', 2) as [string, string | undefined])
  const time = parts.find(([name]) => name === 't')?.[1]
  const signatures = parts.flatMap(([name, value]) => (name === 'v1' ? (decode(value ?? '', 'hex') ?? []) : []))
  return signedAt(time, signatures, `${time}.`)
}

/** `webhook-signature: v1,base64 v1,base64` signs `id.timestamp.body`; Svix sends the same under its own names. */
function readStandardWebhooks(request: SignedRequest): Signed | { reason: SignatureFault } {
  const header = (name: string): string | undefined =>
    headerOf(request, `webhook-${name}`) ?? headerOf(request, `svix-${name}`)
  const [id, time, list] = [header('id'), header('timestamp'), header('signature')]
  if (id === undefined || time === undefined || list === undefined) return { reason: 'signature_missing' }
  const signatures = list
    .split(' ')
    .flatMap(part => (part.startsWith('v1,') ? (decode(part.slice(3), 'base64') ?? []) : []))
  return signedAt(time, signatures, `${id}.${time}.`)
}

function signedAt(time: string | undefined, signatures: Buffer[], before: string): Signed | { reason: SignatureFault } {
  const isTime = time !== undefined && /^\d{1,11}$/.test(time)
  if (!isTime || signatures.length === 0 || signatures.length > signaturesMax) return { reason: 'signature_malformed' }
  return { algorithm: 'sha256', signatures, before, seconds: Number(time) }
}

/** Standard Webhooks secrets are base64 after `whsec_`; all others are the text as it stands (Stripe's `whsec_` too). */
function keyOf(scheme: HmacScheme, secret: string): Buffer {
  if (scheme.scheme !== 'standard-webhooks') return Buffer.from(secret)
  return decode(secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret, 'base64') ?? Buffer.alloc(0)
}

type TokenScheme = Extract<SignatureScheme, { scheme: 'token' }>

function verifyToken(scheme: TokenScheme, secrets: string[], request: SignedRequest): SignatureCheck {
  const { prefix = '' } = scheme
  const text = scheme.in === 'header' ? headerOf(request, scheme.name) : single(request.query[scheme.name])
  if (text === undefined || text === '') return failed('signature_missing')
  if (!text.startsWith(prefix)) return failed('signature_malformed')
  // Digests, so that not even the secret's length shows in the time taken.
  const given = [sha256(text.slice(prefix.length))]
  return anyEqual(secrets.map(sha256), given) ? { ok: true } : failed('signature_mismatch')
}

/** Whether any pair is equal; looks at every pair, so the time taken does not say which. */
function anyEqual(expected: Buffer[], given: Buffer[]): boolean {
  let isEqual = false
  for (const left of expected) {
    for (const right of given) {
      if (left.length === right.length && timingSafeEqual(left, right)) isEqual = true
    }
  }
  return isEqual
}

function checkTime(seconds: number | undefined, nowMs: number): SignatureCheck {
  if (seconds === undefined) return { ok: true }
  const age = nowMs / 1000 - seconds
  if (age > signatureToleranceSeconds) return failed('timestamp_too_old')
  return age < -signatureToleranceSeconds ? failed('timestamp_too_new') : { ok: true }
}

function headerOf(request: SignedRequest, name: string): string | undefined {
  const wanted = name.toLowerCase()
  const entry = Object.entries(request.headers).find(([header]) => header.toLowerCase() === wanted)
  return single(entry?.[1])
}

/** A value given twice is no value: two proxies or an attacker, and no telling which one counts. */
const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? (value.length === 1 ? value[0] : undefined) : value

function decode(text: string, encoding: 'hex' | 'base64'): Buffer | undefined {
  const pattern = encoding === 'hex' ? /^(?:[0-9a-fA-F]{2})+$/ : /^[A-Za-z0-9+/]+={0,2}$/
  return pattern.test(text) ? Buffer.from(text, encoding) : undefined
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

const failed = (reason: SignatureFault): SignatureCheck => ({ ok: false, reason })

export type MetaChallenge = { ok: true; challenge: string } | { ok: false; reason: 'not_a_challenge' | 'wrong_token' }

/**
 * Answers Meta's question before it sends anything: a GET with hub.mode=subscribe, the verify token that was typed in
 * there, and a challenge to send back, as text/plain, with 200 (403 otherwise).
 */
export function answerMetaChallenge(query: SignedRequest['query'], verifyToken: string): MetaChallenge {
  const [mode, token, challenge] = ['hub.mode', 'hub.verify_token', 'hub.challenge'].map(name => single(query[name]))
  // Letters and digits only: the text goes back to whoever asked, and must never be markup.
  if (mode !== 'subscribe' || token === undefined || !/^[A-Za-z0-9_-]{1,256}$/.test(challenge ?? '')) {
    return { ok: false, reason: 'not_a_challenge' }
  }
  const isRight = verifyToken !== '' && timingSafeEqual(sha256(token), sha256(verifyToken))
  return isRight ? { ok: true, challenge: challenge ?? '' } : { ok: false, reason: 'wrong_token' }
}
