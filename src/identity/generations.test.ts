import { expect, it } from 'vitest'
import { Generations } from './generations.ts'

const filled = (size: number) => {
  const map = new Generations<number, string>()
  for (let key = 0; key < size; key += 1) map.set(key, `value ${key}`)
  return map
}

it('forgets nothing while there is room', () => {
  const map = filled(4)
  expect([...map.age(10)]).toEqual([])
  expect([...map.age(10)]).toEqual([])
  expect(map.get(0)).toBe('value 0')
  expect(map.size).toBe(4)
})

it('forgets what was not asked for since it was last full', () => {
  const map = filled(4)
  expect([...map.age(8)]).toEqual([])
  for (const key of [0, 1]) map.get(key)
  for (const key of [10, 11]) map.set(key, `value ${key}`)
  expect([...map.age(8)]).toEqual(['value 2', 'value 3'])
  expect([map.get(0), map.get(2), map.get(10)]).toEqual(['value 0', undefined, 'value 10'])
  expect(map.size).toBe(4)
})

it('holds each key once, whichever generation it is in', () => {
  const map = filled(2)
  map.age(2)
  map.set(0, 'new')
  expect(map.get(0)).toBe('new')
  expect([...map.values()].sort()).toEqual(['new', 'value 1'])
})
