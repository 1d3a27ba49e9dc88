import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  answerMetaChallenge,
  type SignatureCheck,
  type SignatureScheme,
  type SignedRequest,
  signatureSchemeSchema,
  signaturesMax,
  verifySignature,
} from './signature.ts'

const nowSeconds = 1_767_261_600
const nowMs = nowSeconds * 1000
const bodyText = '{ "id": "evt_1",  "name": "Zoë" }'
const rawBody = Buffer.from(bodyText)
const request = (headers: SignedRequest['headers'], more: Partial<SignedRequest> = {}): SignedRequest => ({
  rawBody,
  headers,
  query: {},
  ...more,
})
const reasonOf = (check: SignatureCheck) => (check.ok ? 'ok' : check.reason)
const hmac = (algorithm: string, key: string | Buffer, text: string) => createHmac(algorithm, key).update(text).digest()

describe('stripe', () => {
  const scheme: SignatureScheme = { scheme: 'stripe' }
  const secret = 'whsec_stripe_made_up'
  const sign = (seconds: number, key = secret, body = bodyText) =>
    hmac('sha256', key, `${seconds}.${body}`).toString('hex')
  const check = (header: string | undefined, secrets: string | string[] = secret, raw = rawBody) =>
    reasonOf(verifySignature(scheme, secrets, request({ 'stripe-signature': header }, { rawBody: raw }), nowMs))

  test('a right signature of this minute is genuine', () =>
    expect(check(`t=${nowSeconds},v1=${sign(nowSeconds)}`)).toBe('ok'))

  test('any of several v1 will do, and other versions do not matter', () => {
    const wrong = sign(nowSeconds, 'other')
    expect(check(`t=${nowSeconds},v1=${wrong},v1=${sign(nowSeconds)},v0=${wrong}`)).toBe('ok')
    expect(check(`t=${nowSeconds},v0=${sign(nowSeconds)}`)).toBe('signature_malformed')
  })

  test('while a secret is rolled, either secret will do', () => {
    expect(check(`t=${nowSeconds},v1=${sign(nowSeconds)}`, ['new', secret])).toBe('ok')
    expect(check(`t=${nowSeconds},v1=${sign(nowSeconds)}`, ['new', 'newer'])).toBe('signature_mismatch')
  })

  test('a tampered body, time or secret is not', () => {
    expect(check(`t=${nowSeconds},v1=${sign(nowSeconds)}`, secret, Buffer.from(bodyText.replace('1', '2')))).toBe(
      'signature_mismatch',
    )
    expect(check(`t=${nowSeconds + 1},v1=${sign(nowSeconds)}`)).toBe('signature_mismatch')
    expect(check(`t=${nowSeconds},v1=${sign(nowSeconds)}`, 'other')).toBe('signature_mismatch')
  })

  test('the same JSON written anew is not: the bytes are signed', () => {
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(bodyText)))
    expect(check(`t=${nowSeconds},v1=${sign(nowSeconds)}`, secret, rewritten)).toBe('signature_mismatch')
  })

  test('five minutes to either side are allowed, not a second more', () => {
    for (const [offset, reason] of [
      [-300, 'ok'],
      [-301, 'timestamp_too_old'],
      [300, 'ok'],
      [301, 'timestamp_too_new'],
    ] as const) {
      expect(check(`t=${nowSeconds + offset},v1=${sign(nowSeconds + offset)}`)).toBe(reason)
    }
  })

  test('an old time with a wrong signature says nothing of the time', () =>
    expect(check(`t=1,v1=${sign(2)}`)).toBe('signature_mismatch'))

  test.each([
    [undefined, 'signature_missing'],
    ['', 'signature_malformed'],
    ['nonsense', 'signature_malformed'],
    [`v1=${'ab'.repeat(32)}`, 'signature_malformed'],
    [`t=soon,v1=${'ab'.repeat(32)}`, 'signature_malformed'],
    [`t=${nowSeconds},v1=zz`, 'signature_malformed'],
    [`t=${nowSeconds},v1=abcd`, 'signature_mismatch'],
    [`t=${nowSeconds}${`,v1=${'ab'.repeat(32)}`.repeat(signaturesMax + 1)}`, 'signature_malformed'],
  ])('the header %s is refused', (header, reason) => expect(check(header)).toBe(reason))
})

describe('shopify', () => {
  const scheme: SignatureScheme = { scheme: 'shopify' }
  const signature = hmac('sha256', 'app-secret', bodyText).toString('base64')
  const check = (header: string | undefined, secret = 'app-secret') =>
    reasonOf(verifySignature(scheme, secret, request({ 'X-Shopify-Hmac-Sha256': header }), nowMs))

  test('signs the body, in base64', () => {
    expect(check(signature)).toBe('ok')
    expect(check(signature, 'other')).toBe('signature_mismatch')
    expect(check(hmac('sha256', 'app-secret', `${bodyText} `).toString('base64'))).toBe('signature_mismatch')
    expect(check('!')).toBe('signature_malformed')
    expect(check(undefined)).toBe('signature_missing')
  })
})

describe('meta', () => {
  const scheme: SignatureScheme = { scheme: 'meta' }
  const signature = hmac('sha256', 'app-secret', bodyText).toString('hex')
  const check = (header: string | undefined, secret = 'app-secret') =>
    reasonOf(verifySignature(scheme, secret, request({ 'x-hub-signature-256': header }), nowMs))

  test('signs the body, in hexadecimal after sha256=', () => {
    expect(check(`sha256=${signature}`)).toBe('ok')
    expect(check(`sha256=${signature}`, 'other')).toBe('signature_mismatch')
    expect(check(signature)).toBe('signature_malformed')
    expect(check(undefined)).toBe('signature_missing')
  })

  test('asks first, and is answered only with the right token', () => {
    const query = { 'hub.mode': 'subscribe', 'hub.verify_token': 'our-token', 'hub.challenge': '1158201444' }
    expect(answerMetaChallenge(query, 'our-token')).toEqual({ ok: true, challenge: '1158201444' })
    expect(answerMetaChallenge(query, 'other')).toEqual({ ok: false, reason: 'wrong_token' })
    expect(answerMetaChallenge({ ...query, 'hub.verify_token': '' }, '')).toEqual({ ok: false, reason: 'wrong_token' })
    for (const wrong of [
      { 'hub.mode': 'unsubscribe' },
      { 'hub.challenge': undefined },
      { 'hub.challenge': '<script>' },
    ]) {
      expect(answerMetaChallenge({ ...query, ...wrong }, 'our-token')).toEqual({ ok: false, reason: 'not_a_challenge' })
    }
  })
})

describe('standard-webhooks', () => {
  const scheme: SignatureScheme = { scheme: 'standard-webhooks' }
  // The example of the specification's reference libraries.
  const known = {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    seconds: 1614265330,
    body: '{"test": 2432232314}',
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }
  const check = (change: Partial<typeof known> = {}, secrets: string | string[] = known.secret, prefix = 'webhook') => {
    const { id, seconds, body, signature } = { ...known, ...change }
    const headers = { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: `${seconds}`, [`${prefix}-signature`]: signature }
    return reasonOf(
      verifySignature(scheme, secrets, request(headers, { rawBody: Buffer.from(body) }), known.seconds * 1000),
    )
  }

  test('the known example is genuine, under its names and Svix’s', () => {
    expect(check()).toBe('ok')
    expect(check({}, known.secret, 'svix')).toBe('ok')
    expect(check({}, known.secret.slice('whsec_'.length))).toBe('ok')
  })

  test('another id, time, body, signature or secret is not', () => {
    expect(check({ id: 'msg_other' })).toBe('signature_mismatch')
    expect(check({ seconds: known.seconds + 1 })).toBe('signature_mismatch')
    expect(check({ body: '{"test": 2432232315}' })).toBe('signature_mismatch')
    expect(check({ signature: known.signature.replace('g0', 'g1') })).toBe('signature_mismatch')
    expect(check({}, 'whsec_AAAA')).toBe('signature_mismatch')
    expect(check({}, 'whsec_not base64')).toBe('secret_malformed')
  })

  test('any of several signatures and secrets will do', () => {
    expect(check({ signature: `v1a,AAAA v1,AAAA ${known.signature}` })).toBe('ok')
    expect(check({}, ['whsec_AAAA', known.secret])).toBe('ok')
    expect(check({ signature: 'v1a,AAAA' })).toBe('signature_malformed')
  })

  test('a replay after five minutes is refused', () => {
    const headers = {
      'webhook-id': known.id,
      'webhook-timestamp': `${known.seconds}`,
      'webhook-signature': known.signature,
    }
    const replay = request(headers, { rawBody: Buffer.from(known.body) })
    expect(reasonOf(verifySignature(scheme, known.secret, replay, (known.seconds + 300) * 1000))).toBe('ok')
    expect(reasonOf(verifySignature(scheme, known.secret, replay, (known.seconds + 301) * 1000))).toBe(
      'timestamp_too_old',
    )
    expect(reasonOf(verifySignature(scheme, known.secret, replay, (known.seconds - 301) * 1000))).toBe(
      'timestamp_too_new',
    )
  })

  test('a missing header is missing', () =>
    expect(reasonOf(verifySignature(scheme, known.secret, request({ 'webhook-id': 'x' }), nowMs))).toBe(
      'signature_missing',
    ))
})

describe('hmac', () => {
  test('the example in GitHub’s documentation is genuine', () => {
    const scheme: SignatureScheme = {
      scheme: 'hmac',
      header: 'X-Hub-Signature-256',
      algorithm: 'sha256',
      encoding: 'hex',
      prefix: 'sha256=',
    }
    const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
    const signed = request({ 'x-hub-signature-256': header }, { rawBody: Buffer.from('Hello, World!') })
    expect(verifySignature(scheme, "It's a Secret to Everybody", signed, nowMs)).toEqual({ ok: true })
  })

  test.each([
    ['sha1', 'hex'],
    ['sha256', 'base64'],
    ['sha512', 'hex'],
  ] as const)('%s in %s', (algorithm, encoding) => {
    const scheme: SignatureScheme = { scheme: 'hmac', header: 'X-Signature', algorithm, encoding }
    const signature = hmac(algorithm, 'secret', bodyText).toString(encoding)
    expect(reasonOf(verifySignature(scheme, 'secret', request({ 'x-signature': signature }), nowMs))).toBe('ok')
    expect(reasonOf(verifySignature(scheme, 'secre', request({ 'x-signature': signature }), nowMs))).toBe(
      'signature_mismatch',
    )
    expect(reasonOf(verifySignature(scheme, 'secret', request({}), nowMs))).toBe('signature_missing')
    expect(reasonOf(verifySignature(scheme, '', request({ 'x-signature': signature }), nowMs))).toBe('secret_missing')
  })

  test('a header given twice is none', () => {
    const scheme: SignatureScheme = { scheme: 'hmac', header: 'X-Signature', algorithm: 'sha256', encoding: 'hex' }
    const signature = hmac('sha256', 'secret', bodyText).toString('hex')
    const twice = request({ 'x-signature': [signature, 'aa'] })
    expect(reasonOf(verifySignature(scheme, 'secret', twice, nowMs))).toBe('signature_missing')
  })
})

describe('token', () => {
  test('in a header, after a prefix', () => {
    const scheme: SignatureScheme = { scheme: 'token', in: 'header', name: 'Authorization', prefix: 'Bearer ' }
    const check = (value: string | undefined) =>
      reasonOf(verifySignature(scheme, ['old', 'new'], request({ authorization: value }), nowMs))
    expect(check('Bearer new')).toBe('ok')
    expect(check('Bearer old')).toBe('ok')
    expect(check('Bearer newer')).toBe('signature_mismatch')
    expect(check('Bearer ')).toBe('signature_mismatch')
    expect(check('new')).toBe('signature_malformed')
    expect(check(undefined)).toBe('signature_missing')
  })

  test('in a query parameter', () => {
    const scheme: SignatureScheme = { scheme: 'token', in: 'query', name: 'token' }
    const check = (token: string | string[] | undefined) =>
      reasonOf(verifySignature(scheme, 's3cret', request({}, { query: { token } }), nowMs))
    expect(check('s3cret')).toBe('ok')
    expect(check('s3cre')).toBe('signature_mismatch')
    expect(check('')).toBe('signature_missing')
    expect(check(['s3cret', 's3cret'])).toBe('signature_missing')
  })
})

test('none needs nothing, all others a secret', () => {
  expect(verifySignature({ scheme: 'none' }, '', request({}), nowMs)).toEqual({ ok: true })
  for (const scheme of ['stripe', 'shopify', 'meta', 'standard-webhooks'] as const) {
    for (const secret of ['', [], ['']]) {
      expect(reasonOf(verifySignature({ scheme }, secret, request({}), nowMs))).toBe('secret_missing')
    }
  }
})

test('no header makes a check throw, and none passes by chance', () => {
  const schemes: SignatureScheme[] = [
    { scheme: 'stripe' },
    { scheme: 'shopify' },
    { scheme: 'meta' },
    { scheme: 'standard-webhooks' },
    { scheme: 'token', in: 'header', name: 'x-token' },
  ]
  const names = ['stripe-signature', 'x-shopify-hmac-sha256', 'x-hub-signature-256', 'x-token']
  const standard = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
  fc.assert(
    fc.property(fc.constantFrom(...schemes), fc.string(), (scheme, text) => {
      const headers = Object.fromEntries([...names, ...standard].map(name => [name, text]))
      expect(verifySignature(scheme, 'c2VjcmV0', request(headers), nowMs).ok).toBe(false)
    }),
  )
})

test('a scheme is a closed form', () => {
  expect(signatureSchemeSchema.safeParse({ scheme: 'md5' }).success).toBe(false)
  expect(
    signatureSchemeSchema.safeParse({ scheme: 'hmac', header: 'X\nY', algorithm: 'sha256', encoding: 'hex' }).success,
  ).toBe(false)
  expect(signatureSchemeSchema.safeParse({ scheme: 'stripe', tolerance: 1e9 }).success).toBe(false)
})
