import { describe, expect, it } from 'vitest'
import { isForged } from './origin.ts'
import type { Actor } from './route.ts'

const base = { workspaceId: 1, workspaceSlug: 'default', role: 'admin', isOperator: true } as const
const session: Actor = { ...base, via: 'session', session: { tokenHash: Buffer.alloc(32), csrfToken: 'the-token' } }
const apiKey: Actor = { ...base, via: 'api_key' }
const token = { 'x-csrf-token': 'the-token' }
const host = 'crm.example.com'

describe('a request with a cookie that changes something', () => {
  it('passes from a page of this server with its token', () => {
    expect(isForged('POST', { host, ...token, 'sec-fetch-site': 'same-origin' }, session)).toBe(false)
    expect(isForged('POST', { host, ...token, origin: `https://${host}` }, session)).toBe(false)
  })
  it('passes with the token alone, from a program that is no browser', () => {
    expect(isForged('DELETE', { host, ...token }, session)).toBe(false)
  })
  it.each([
    ['the token missing', { host, 'sec-fetch-site': 'same-origin' }],
    ['a wrong token', { host, 'x-csrf-token': 'the-tokem' }],
    ['a shorter token', { host, 'x-csrf-token': 'the' }],
    ['an empty token', { host, 'x-csrf-token': '' }],
    ['another site', { host, ...token, 'sec-fetch-site': 'cross-site' }],
    ['a sister domain', { host, ...token, 'sec-fetch-site': 'same-site' }],
    ['another origin', { host, ...token, origin: 'https://evil.example.net' }],
    ['another port', { host, ...token, origin: `https://${host}:8443` }],
    ['a sandboxed frame', { host, ...token, origin: 'null' }],
  ])('is forged with %s', (_, headers) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
      expect(isForged(method, headers, session)).toBe(true)
  })
})

describe('other requests', () => {
  it('pass when they only read', () => {
    expect(isForged('GET', { host, 'sec-fetch-site': 'cross-site' }, session)).toBe(false)
  })
  it('pass when they carry an API key, which no browser adds by itself', () => {
    expect(isForged('POST', { host, 'sec-fetch-site': 'cross-site' }, apiKey)).toBe(false)
  })
  it('may not sign anyone in from another site', () => {
    expect(isForged('POST', { host, 'sec-fetch-site': 'cross-site' }, undefined)).toBe(true)
    expect(isForged('POST', { host, origin: 'https://evil.example.net' }, undefined)).toBe(true)
    expect(isForged('POST', { host, origin: `http://${host}` }, undefined)).toBe(false)
    expect(isForged('POST', { host }, undefined)).toBe(false)
  })
})
