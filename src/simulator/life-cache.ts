/** In: the index of a person. Out: their life, from memory if it was asked for lately, else planned anew: the same life. */
import { planLife } from './life.ts'
import type { Life } from './plan.ts'
import type { World } from './world.ts'

/** Up to here every life is kept: some 7 kB each for a year, so 150 MB at most. */
const LIVES_KEPT = 20_000
/**
 * With more people than that, keeping few is faster than keeping many: 75,000 against 49,000 calls a second at 100,000
 * people, because lives that wait long for their next episode only burden the garbage collector.
 */
const LIVES_KEPT_OF_MANY = 1024

/** Keeps one life per slot, so that memory is bounded whatever the number of people. */
export class LifeCache {
  readonly #world: World
  readonly #slots: (Life | undefined)[] = []
  readonly #count: number

  constructor(world: World) {
    this.#world = world
    this.#count = world.people <= LIVES_KEPT ? LIVES_KEPT : LIVES_KEPT_OF_MANY
  }

  life(person: number): Life {
    const slot = person % this.#count
    const kept = this.#slots[slot]
    if (kept?.person.index === person) return kept
    const life = planLife(this.#world, person)
    this.#slots[slot] = life
    return life
  }
}
