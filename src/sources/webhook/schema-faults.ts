/**
 * Faults of a checked schema in words: zod's issues come in, one sentence with its path each goes out.
 *
 * A value that may have several shapes fails all of them; the fault worth telling is the one of the shape that its
 * writer most likely meant: the one with the fewest missing and unknown keys.
 */
import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** One fault per issue, with paths such as `rules[2].event.properties.total`; `whole` names the value itself. */
export function readFaults(error: z.ZodError, whole = 'mapping'): { path: string; message: string }[] {
  return error.issues
    .flatMap(issue => innermost(issue, []))
    .map(({ path, issue }) => ({
      path: formatPath(path) || whole,
      message: sentence(issue),
    }))
}

type Located = { path: PropertyKey[]; issue: Issue }

function innermost(issue: Issue, outer: PropertyKey[]): Located[] {
  const path = [...outer, ...issue.path]
  if (issue.code !== 'invalid_union' || isMissing(issue)) return [{ path, issue }]
  const least = Math.min(...issue.errors.map(misfit))
  const best = issue.errors.filter(shape => misfit(shape) === least)
  const [deepest] = best.toSorted((left, right) => depth(right) - depth(left))
  if (!deepest || least === Number.POSITIVE_INFINITY) return [{ path, issue }]
  if (least === 0 || best.length === 1) return deepest.flatMap(inner => innermost(inner, path))
  // Several shapes fit equally badly: what none of them knows is the likely slip of the pen.
  const [keys, ...others] = best.map(unknownKeys)
  const unknown = (keys ?? []).filter(key => others.every(other => other.includes(key)))
  if (unknown.length === 0) return [{ path, issue }]
  return [{ path, issue: { code: 'unrecognized_keys', keys: unknown, path: issue.path, message: '' } }]
}

/** How far a shape is from what was written: infinite for another kind of value, else its missing and unknown keys. */
function misfit(shape: readonly Issue[]): number {
  return shape.reduce((sum, issue) => sum + misfitOf(issue), 0)
}

function misfitOf(issue: Issue): number {
  const isHere = issue.path.length === 0
  if (isHere && issue.code === 'invalid_type') return Number.POSITIVE_INFINITY
  if (isHere && issue.code === 'invalid_union') return Math.min(Number.POSITIVE_INFINITY, ...issue.errors.map(misfit))
  if (issue.code === 'unrecognized_keys') return isHere ? issue.keys.length : 0
  return (isHere && issue.code === 'custom') || (issue.path.length === 1 && isMissing(issue)) ? 1 : 0
}

const unknownKeys = (shape: readonly Issue[]): string[] =>
  shape.flatMap(issue => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : []))

const depth = (shape: readonly Issue[]): number => Math.max(...shape.map(issue => issue.path.length))

function isMissing(issue: Issue): boolean {
  if (issue.code === 'invalid_union') return issue.errors.every(shape => shape.every(isMissing))
  return issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
}

function sentence(issue: Issue): string {
  if (isMissing(issue)) return 'This is missing.'
  if (issue.code === 'unrecognized_keys') return `${issue.keys.map(key => `"${key}"`).join(', ')} is not known here.`
  if (issue.code === 'invalid_union') return 'This has none of the forms that may stand here.'
  return issue.message
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map(key => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}
