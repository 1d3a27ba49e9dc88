/**
 * A map that forgets what was not asked for lately: in, keys and values; out, the values still held. Two generations
 * make it about as good as a least-recently-used list at the price of a Map: what is read moves to the young one, and
 * `age` drops the old one whole.
 */
export class Generations<Key, Value> {
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()

  get(key: Key): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) {
      this.#young.set(key, old)
      this.#old.delete(key)
    }
    return old
  }

  set(key: Key, value: Value): void {
    this.#young.set(key, value)
    this.#old.delete(key)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  values(): IteratorObject<Value> {
    return [this.#young, this.#old].values().flatMap(map => map.values())
  }

  /** Once the young have filled half of what may be held, the old are forgotten. Returns what was. */
  age(sizeMax: number): IteratorObject<Value> {
    if (this.#young.size < sizeMax / 2) return Iterator.from([])
    const forgotten = this.#old.values()
    this.#old = this.#young
    this.#young = new Map()
    return forgotten
  }
}
