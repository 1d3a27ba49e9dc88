/** A bounded memory of what was looked up lately. In: key and value with a time. Out: the value until it is too old. */

/** Forgets after `lifetimeMs`, and its oldest entries above `entriesMax`. The caller brings the clock. */
export class Recent<Value> {
  private readonly entries = new Map<string, { value: Value; until: number }>()
  private readonly lifetimeMs: number
  private readonly entriesMax: number

  constructor(limits: { lifetimeMs: number; entriesMax: number }) {
    this.lifetimeMs = limits.lifetimeMs
    this.entriesMax = limits.entriesMax
  }

  get(key: string, now: number): Value | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && entry.until > now ? entry.value : undefined
  }

  /** True when the key was ever seen and not yet pushed out, even when its value is too old to use. */
  knows(key: string): boolean {
    return this.entries.has(key)
  }

  set(key: string, value: Value, now: number): void {
    this.entries.delete(key)
    this.entries.set(key, { value, until: now + this.lifetimeMs })
    if (this.entries.size > this.entriesMax) {
      const oldest = this.entries.keys().next()
      if (!oldest.done) this.entries.delete(oldest.value)
    }
  }

  delete(key: string): void {
    this.entries.delete(key)
  }

  clear(): void {
    this.entries.clear()
  }

  get size(): number {
    return this.entries.size
  }
}
