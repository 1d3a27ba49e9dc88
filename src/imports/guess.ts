/**
 * The columns and first rows of a file in; a mapping that likely fits it out, with how sure each part is, why, and the
 * questions that only a person can answer. A question left open is safe: what it leaves ambiguous is rejected, not guessed.
 */
import { assemble } from './guess-assemble.ts'
import type { Role } from './guess-names.ts'
import type { ColumnQuestion, Placement } from './guess-place.ts'
import { type ColumnView, dropRepeats, typeOf, viewColumn } from './guess-view.ts'
import type { Kind, Mapping, ValueType } from './mapping.ts'
import type { Row } from './row.ts'

export type { ColumnQuestion } from './guess-place.ts'

/** Rows looked at. */
export const GUESS_ROWS_MAX = 2_000

export interface ColumnGuess {
  column: string
  role: Role
  /** Where it goes in the mapping: `userId`, `traits.birthday`, `timestamp`; nothing where it is left out. */
  target: string | undefined
  type: ValueType
  /** Whether it says whose a row is. */
  identifies: boolean
  /** 0 to 1. */
  confidence: number
  /** A sentence for the user. */
  reason: string
  question?: ColumnQuestion
}

export interface MappingGuess {
  mapping: Mapping
  kind: { kind: Kind; confidence: number; reason: string }
  columns: ColumnGuess[]
  /** What the guess could not settle about the file as a whole, sentences for the user. */
  notes: string[]
}

/** Guesses a mapping. `rows` is a sample from the head of the file; `fileName` names the mapping and hints at its kind. */
export function guessMapping(columns: string[], rows: Row[], fileName = 'import'): MappingGuess {
  const sample = rows.slice(0, GUESS_ROWS_MAX)
  const views = columns.map(column => viewColumn(column, sample))
  const { mapping, kind, placements, notes } = assemble(dropRepeats(views), fileName)
  return { mapping, kind, columns: views.map((view, index) => describe(view, placements[index])), notes }
}

const identifyingRoles = new Set<Role>(['user_id', 'anonymous_id', 'email', 'phone', 'loyalty_id'])

function describe(view: ColumnView, placement: Placement | undefined): ColumnGuess {
  const { column, facts } = view
  const shared = { column, type: typeOf(view) }
  if (!placement || placement.target === undefined) {
    const role = view.role === 'omit' ? 'omit' : (placement?.role ?? 'omit')
    return {
      ...shared,
      role,
      target: undefined,
      identifies: false,
      confidence: view.sure,
      reason: placement?.reason ?? view.reason,
    }
  }
  const gaps = facts.empty > 0 ? `; ${facts.empty} of ${facts.filled + facts.empty} are empty` : ''
  return {
    ...shared,
    role: placement.role,
    target: placement.target,
    identifies: identifyingRoles.has(placement.role),
    confidence: placement.question ? Math.min(view.sure, 0.4) : view.sure,
    reason: (placement.reason ?? (view.dates ? `${view.reason}; ${view.dates.reason}` : view.reason)) + gaps,
    ...(placement.question ? { question: placement.question } : {}),
  }
}
