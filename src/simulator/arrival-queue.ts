/**
 * In: calls and lives in any order. Out: the earliest first. Two binary heaps: one of calls that are under way, one of
 * the next episode of each life, which holds 16 bytes per person and nothing else.
 */
import type { SimulatedCall } from './calls.ts'

interface Entry {
  arrival: SimulatedCall
  person: number
  serial: number
}

/** Ties are settled by person and serial number, so that more people never change the order of the others. */
const isBefore = (a: Entry, b: Entry): boolean => {
  const difference = a.arrival.receivedAt - b.arrival.receivedAt
  if (difference !== 0) return difference < 0
  return a.person !== b.person ? a.person < b.person : a.serial < b.serial
}

/** Calls on their way, by time of arrival. */
export class ArrivalQueue {
  readonly #heap: Entry[] = []

  get size(): number {
    return this.#heap.length
  }

  /** When the next call arrives; Infinity when none is under way. */
  get nextAt(): number {
    return this.#heap[0]?.arrival.receivedAt ?? Number.POSITIVE_INFINITY
  }

  push(arrival: SimulatedCall, person: number, serial: number): void {
    const heap = this.#heap
    const entry = { arrival, person, serial }
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (!parent || !isBefore(entry, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = entry
  }

  pop(): SimulatedCall | null {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (!top || !last) return null
    if (heap.length > 0) this.#sink(last)
    return top.arrival
  }

  #sink(entry: Entry): void {
    const heap = this.#heap
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      let child = heap[below]
      if (!child) break
      const right = heap[below + 1]
      if (right && isBefore(right, child)) {
        below += 1
        child = right
      }
      if (!isBefore(child, entry)) break
      heap[index] = child
      index = below
    }
    heap[index] = entry
  }
}

/** The next episode of each person, by time and then by person. */
export class LifeQueue {
  readonly #at: Float64Array
  readonly #person: Uint32Array
  readonly #episode: Int32Array
  #size = 0

  constructor(people: number) {
    this.#at = new Float64Array(people + 1)
    this.#person = new Uint32Array(people + 1)
    this.#episode = new Int32Array(people + 1)
  }

  get nextAt(): number {
    return this.#size > 0 ? (this.#at[0] ?? 0) : Number.POSITIVE_INFINITY
  }

  push(at: number, person: number, episode: number): void {
    let index = this.#size
    this.#size += 1
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!this.#isBefore(at, person, above)) break
      this.#copy(above, index)
      index = above
    }
    this.#set(index, at, person, episode)
  }

  pop(): { person: number; episode: number } | null {
    if (this.#size === 0) return null
    const top = { person: this.#person[0] ?? 0, episode: this.#episode[0] ?? 0 }
    this.#size -= 1
    const last = this.#size
    if (last > 0) this.#sink(this.#at[last] ?? 0, this.#person[last] ?? 0, this.#episode[last] ?? 0)
    return top
  }

  #sink(at: number, person: number, episode: number): void {
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below >= this.#size) break
      const right = below + 1
      if (right < this.#size && this.#isBefore(this.#at[right] ?? 0, this.#person[right] ?? 0, below)) below = right
      if (this.#isBefore(at, person, below)) break
      this.#copy(below, index)
      index = below
    }
    this.#set(index, at, person, episode)
  }

  #isBefore(at: number, person: number, index: number): boolean {
    const difference = at - (this.#at[index] ?? 0)
    return difference < 0 || (difference === 0 && person < (this.#person[index] ?? 0))
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#at[from] ?? 0, this.#person[from] ?? 0, this.#episode[from] ?? 0)
  }

  #set(index: number, at: number, person: number, episode: number): void {
    this.#at[index] = at
    this.#person[index] = person
    this.#episode[index] = episode
  }
}
