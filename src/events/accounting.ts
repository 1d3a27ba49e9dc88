/** Counts of outcomes come in; what became of everything that was sent goes out. Pure. */
import { z } from 'zod'

export const accountingSchema = z.object({
  sent: z.number().int().describe('Everything that arrived: the sum of the other three.'),
  stored: z.number().int(),
  rejected: z.number().int(),
  deduplicated: z.number().int(),
  rejectedByReason: z.record(z.string(), z.number().int()),
})
export type Accounting = z.infer<typeof accountingSchema>

export function accountingOf(outcomes: { outcome: string; events: number }[]): Accounting {
  const accounting: Accounting = { sent: 0, stored: 0, rejected: 0, deduplicated: 0, rejectedByReason: {} }
  for (const { outcome, events } of outcomes) {
    if (events === 0) continue
    accounting.sent += events
    if (outcome === 'stored') accounting.stored += events
    else if (outcome === 'deduplicated') accounting.deduplicated += events
    else {
      accounting.rejected += events
      accounting.rejectedByReason[outcome] = (accounting.rejectedByReason[outcome] ?? 0) + events
    }
  }
  return accounting
}
