import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readWebhookBody, readWebhookText } from './body.ts'
import { formFieldsMax } from './limits.ts'

const form = 'application/x-www-form-urlencoded; charset=UTF-8'
const bytes = (text: string) => new TextEncoder().encode(text)

describe('a JSON body', () => {
  test('is read whatever its content type says', () => {
    for (const type of ['application/json', 'text/plain', form, '']) {
      expect(readWebhookBody(bytes('{"a": 1}'), type)).toEqual({ ok: true, body: { a: 1 } })
    }
  })

  test('may begin with a byte order mark and be any JSON value', () => {
    expect(readWebhookText('\uFEFF[1, 2]')).toEqual({ ok: true, body: [1, 2] })
    expect(readWebhookText('"text"')).toEqual({ ok: true, body: 'text' })
  })

  test('keeps ids that are longer than a number can be', () => {
    const read = readWebhookText('{"id": 12345678901234567890, "small": 12, "price": 1.25, "t": "1234567890123456789"}')
    expect(read).toEqual({
      ok: true,
      body: { id: '12345678901234567890', small: 12, price: 1.25, t: '1234567890123456789' },
    })
  })

  test('that is broken says where, without quoting it', () => {
    const read = readWebhookText('{\n  "email": "ada@example.com",\n  "age" 36\n}')
    expect(read).toEqual({ ok: false, reason: 'invalid_json', message: 'The body is not JSON.', line: 3, column: 9 })
    expect(readWebhookText('{"a": 1')).toMatchObject({ ok: false, reason: 'invalid_json', line: 1, column: 8 })
  })

  test('that is empty or no UTF-8 is refused', () => {
    expect(readWebhookText('  \n')).toMatchObject({ ok: false, reason: 'empty_body' })
    expect(readWebhookBody(new Uint8Array([0x7b, 0xff, 0x7d]))).toMatchObject({ ok: false, reason: 'invalid_encoding' })
  })
})

describe('a form-encoded body', () => {
  test('becomes an object of texts, with nested names and lists', () => {
    const text = 'CallSid=CA1&From=%2B4930901820&a%5Bb%5D%5Bc%5D=1&a[b][d]=2&tag=x&tag=y&list[]=1&name=Ada+Example'
    expect(readWebhookText(text, form)).toEqual({
      ok: true,
      body: {
        CallSid: 'CA1',
        From: '+4930901820',
        a: { b: { c: '1', d: '2' } },
        tag: ['x', 'y'],
        list: ['1'],
        name: 'Ada Example',
      },
    })
  })

  test('is recognised without its content type, as in a pasted sample', () => {
    for (const type of ['', 'application/octet-stream', 'text/plain']) {
      expect(readWebhookText('a=1&b=2', type)).toEqual({ ok: true, body: { a: '1', b: '2' } })
    }
    expect(readWebhookText('Body=Hello%2C+Ada%21&From=%2B4930901820', '')).toMatchObject({
      body: { Body: 'Hello, Ada!' },
    })
    expect(readWebhookText('not json')).toMatchObject({ ok: false, reason: 'invalid_json' })
  })

  test('with JSON in the one field payload is that JSON', () => {
    expect(readWebhookText(`payload=${encodeURIComponent('{"a":[1]}')}`, form)).toEqual({ ok: true, body: { a: [1] } })
  })

  test('cannot reach into the language', () => {
    const read = readWebhookText(
      '__proto__[polluted]=1&a[__proto__][polluted]=1&constructor[prototype][polluted]=1',
      form,
    )
    expect(read.ok).toBe(true)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('has a limit of fields', () => {
    const text = Array.from({ length: formFieldsMax + 1 }, (_, index) => `f${index}=1`).join('&')
    expect(readWebhookText(text, form)).toMatchObject({ ok: false, reason: 'too_many_fields' })
  })
})

test('any bytes with any content type are read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(form, 'application/json', ''), (raw, type) => {
      expect(typeof readWebhookBody(raw, type).ok).toBe('boolean')
    }),
  )
  fc.assert(
    fc.property(fc.webQueryParameters(), text => {
      expect(typeof readWebhookText(text, form).ok).toBe('boolean')
    }),
  )
})
