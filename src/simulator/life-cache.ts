/** In: the index of a person. Out: their life, from memory if it was asked for lately, else planned anew: the same life. */
import { planLife } from './life.ts'
import type { Life } from './plan.ts'
import type { World } from './world.ts'

/** How many planned lives are kept, 10 to 20 kB each. */
const LIVES_KEPT = 8192

/** Keeps one life per slot, so that memory is bounded whatever the number of people. */
export class LifeCache {
  readonly #world: World
  readonly #slots: (Life | undefined)[] = []

  constructor(world: World) {
    this.#world = world
  }

  life(person: number): Life {
    const slot = person % LIVES_KEPT
    const kept = this.#slots[slot]
    if (kept?.person.index === person) return kept
    const life = planLife(this.#world, person)
    this.#slots[slot] = life
    return life
  }
}
