import { describe, expect, it } from 'vitest'
import { Recent } from './recent.ts'

describe('a recent memory', () => {
  it('gives a value until it is too old, and then only knows that there was one', () => {
    const recent = new Recent<string>({ lifetimeMs: 100, entriesMax: 10 })
    recent.set('key', 'value', 0)
    expect(recent.get('key', 99)).toBe('value')
    expect(recent.get('key', 100)).toBeUndefined()
    expect(recent.knows('key')).toBe(true)
    expect(recent.knows('other')).toBe(false)
  })

  it('never holds more than its limit, and drops what was set longest ago', () => {
    const recent = new Recent<number>({ lifetimeMs: 100, entriesMax: 3 })
    for (let number = 0; number < 1_000; number += 1) recent.set(`key${number % 7}`, number, 0)
    expect(recent.size).toBe(3)
    expect(recent.get('key5', 1)).toBe(999)
    expect(recent.knows('key2')).toBe(false)
  })

  it('forgets one, or all', () => {
    const recent = new Recent<number>({ lifetimeMs: 100, entriesMax: 3 })
    recent.set('a', 1, 0)
    recent.set('b', 2, 0)
    recent.delete('a')
    expect([recent.get('a', 1), recent.get('b', 1)]).toEqual([undefined, 2])
    recent.clear()
    expect(recent.get('b', 1)).toBeUndefined()
  })
})
