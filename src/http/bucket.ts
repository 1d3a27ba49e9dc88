/** Rate limits as token buckets. In: who and when. Out: whether they may, or how long to wait. */

export interface BucketLimits {
  perSecond: number
  burst: number
  /** Callers remembered at a time; above that the longest unseen are forgotten, which only ever is in their favour. */
  callersMax: number
}

export class Buckets {
  private readonly limits: BucketLimits
  private readonly levels = new Map<string, { tokens: number; at: number }>()

  constructor(limits: BucketLimits) {
    this.limits = limits
  }

  /** Takes one token. Returns 0, or the seconds until there is one again. */
  take(caller: string, now: number): number {
    const tokens = this.level(caller, now)
    this.levels.delete(caller)
    this.levels.set(caller, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now })
    if (this.levels.size > this.limits.callersMax) {
      const oldest = this.levels.keys().next()
      if (!oldest.done) this.levels.delete(oldest.value)
    }
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / this.limits.perSecond))
  }

  /** True when the caller has nothing left; takes nothing. */
  isEmpty(caller: string, now: number): boolean {
    return this.level(caller, now) < 1
  }

  private level(caller: string, now: number): number {
    const { burst, perSecond } = this.limits
    const last = this.levels.get(caller)
    if (last === undefined) return burst
    const elapsedMs = Math.max(0, now - last.at)
    return Math.min(burst, last.tokens + (elapsedMs / 1000) * perSecond)
  }
}
