import { expect, test } from 'vitest'
import { corsHeaders, preflightHeaders } from './wire-cors.ts'

test('the origin is echoed with credentials, never a star, and caches are told', () => {
  expect(corsHeaders('https://shop.example.com')).toMatchObject({
    'access-control-allow-origin': 'https://shop.example.com',
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  })
})

test('a preflight without an origin is nobody’s, but still says what may be sent', () => {
  const headers = preflightHeaders({})
  expect(headers).not.toHaveProperty('access-control-allow-origin')
  expect(headers['access-control-allow-headers']).toContain('x-write-key')
})
