/**
 * Patterns that operators write, before they may run: in, the source of a regular expression; out, why it is refused,
 * or nothing.
 *
 * JavaScript's engine backtracks, so a careless pattern can take years on one long value. A pattern is accepted only
 * when the number of ways to match it is small by construction: no group is repeated (nested quantifiers), nothing
 * refers back or looks around, and one thing at most may go on: either one repeat, in a pattern tied to the beginning
 * of the value, or the place where a pattern without repeats begins. So a match takes time in proportion to the length of
 * the value. (With two such things the worst of 100,000 random patterns took 0.2 s on 512 characters.)
 */

export const patternLengthMax = 200
/** Repeats, where a pattern not tied to the beginning (`^`) counts as one more: the power of the length. */
const repeatsMax = 1
/** Each `?` and each short `{n,m}` may double the ways to match. */
const optionalsMax = 4
/** Each `|` adds a branch at its place. */
const branchesMax = 16
const branchingGroupsMax = 3
/** `{n}` up to this is a plain sequence; more is refused, for it is a way to write a huge pattern. */
const countMax = 64

interface Tally {
  repeats: number
  optionals: number
  branches: number
  branchingGroups: number
  branchesAtTop: number
}

/** Why this pattern may not run, as a sentence for its author; undefined when it is safe. */
export function faultOfPattern(source: string): string | undefined {
  if (source.length > patternLengthMax) return `is longer than ${patternLengthMax} characters`
  const tally = tallyOf(source)
  if (typeof tally === 'string') return tally
  try {
    new RegExp(source, 'i')
  } catch {
    return 'is not a regular expression'
  }
  const isAnchored = source.startsWith('^') && tally.branchesAtTop === 0
  if (tally.repeats + (isAnchored ? 0 : 1) > repeatsMax) {
    return 'repeats too much: one of *, + and {n,m} with ^ at the beginning, none without'
  }
  if (tally.optionals > optionalsMax) return `has more than ${optionalsMax} optional parts`
  if (tally.branches > branchesMax) return `has more than ${branchesMax} alternatives`
  if (tally.branchingGroups > branchingGroupsMax) return `has more than ${branchingGroupsMax} groups with alternatives`
  return undefined
}

/** Counts what makes a pattern slow, or says which construct has no place in one. */
function tallyOf(source: string): Tally | string {
  const tally: Tally = { repeats: 0, optionals: 0, branches: 0, branchingGroups: 0, branchesAtTop: 0 }
  const groups: { hasBranch: boolean }[] = []
  let afterGroup = false
  for (let index = 0; index < source.length; ) {
    const token = tokenAt(source, index)
    index += token.length
    if (isQuantifier(token)) {
      if (afterGroup) return 'repeats a group, which can take very long'
      const fault = countQuantifier(token, tally)
      if (fault) return fault
      if (source[index] === '?') index += 1
    } else if (/^\\[1-9k]/.test(token)) return 'refers back to a group'
    else if (/^\(\?[=!<]/.test(token)) return 'looks around or names a group'
    else if (token.startsWith('(')) groups.push({ hasBranch: false })
    else if (token === ')') tally.branchingGroups += groups.pop()?.hasBranch ? 1 : 0
    else if (token === '|') {
      tally.branches += 1
      const group = groups.at(-1)
      if (group) group.hasBranch = true
      else tally.branchesAtTop += 1
    }
    afterGroup = token === ')'
  }
  return tally
}

const tokens = /\\.|\[(?:\\.|[^\]\\])*\]|\(\?(?:<[=!]|[:=!<])|\{\d+(?:,\d*)?\}|[\s\S]/y

function tokenAt(source: string, index: number): string {
  tokens.lastIndex = index
  return tokens.exec(source)?.[0] ?? source.charAt(index)
}

const isQuantifier = (token: string) => /^(?:[*+?]|\{\d)/.test(token)

function countQuantifier(token: string, tally: Tally): string | undefined {
  if (token === '*' || token === '+' || token.endsWith(',}')) {
    tally.repeats += 1
    return undefined
  }
  if (token === '?') {
    tally.optionals += 1
    return undefined
  }
  const [least = 0, most = least] = token.slice(1, -1).split(',').map(Number)
  if (most > countMax) return `counts beyond ${countMax}`
  if (most > least) tally.repeats += 1
  return undefined
}
