/** A condition of a mapping in, a function of a row out. Texts are compared as they stand, without blanks around them. */
import { type NumberStyle, parseDecimal } from './decimal.ts'
import type { Condition } from './mapping.ts'

type TextOf<Source> = (source: Source) => string

/**
 * Compiles a condition.
 * @param textOf gives the reader of a column; a column that the row does not have reads as empty
 */
export function compileCondition<Source>(
  condition: Condition,
  textOf: (column: string) => TextOf<Source>,
  style: NumberStyle,
): (source: Source) => boolean {
  const compile = (each: Condition) => compileCondition(each, textOf, style)
  if ('all' in condition) {
    const parts = condition.all.map(compile)
    return source => parts.every(part => part(source))
  }
  if ('any' in condition) {
    const parts = condition.any.map(compile)
    return source => parts.some(part => part(source))
  }
  if ('not' in condition) {
    const part = compile(condition.not)
    return source => !part(source)
  }
  return compileTest(condition, textOf(condition.column), style)
}

type Test = Extract<Condition, { column: string }>

function compileTest<Source>(test: Test, textOf: TextOf<Source>, style: NumberStyle): (source: Source) => boolean {
  const checks: ((text: string) => boolean)[] = []
  const { equals, startsWith, endsWith, contains, lessThan, greaterThan, empty } = test
  const set = test.in && new Set(test.in)
  const compare = (holds: (number: number) => boolean) => (text: string) => {
    const decimal = parseDecimal(text, style)
    return decimal !== undefined && holds(Number(decimal))
  }
  if (equals !== undefined) checks.push(text => text === equals)
  if (set) checks.push(text => set.has(text))
  if (startsWith !== undefined) checks.push(text => text.startsWith(startsWith))
  if (endsWith !== undefined) checks.push(text => text.endsWith(endsWith))
  if (contains !== undefined) checks.push(text => text.includes(contains))
  if (lessThan !== undefined) checks.push(compare(number => number < lessThan))
  if (greaterThan !== undefined) checks.push(compare(number => number > greaterThan))
  if (empty !== undefined) checks.push(text => (text === '') === empty)
  return source => {
    const text = textOf(source)
    return checks.every(check => check(text))
  }
}
