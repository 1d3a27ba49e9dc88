/** The filled cells of a column in; what kind of values they are out, with the marks that numbers are written with. */
import { parsePhoneNumberFromString } from 'libphonenumber-js'
import { splitMoney } from './convert.ts'
import { type NumberStyle, parseDecimal } from './decimal.ts'

export interface ValueFacts {
  filled: number
  empty: number
  distinct: number
  /** Share of filled cells, 0 to 1. */
  emails: number
  phones: number
  /** Texts that mean yes or no in words, and nothing else. */
  isYesNo: boolean
  isZeroOne: boolean
  /** Lists or objects of a JSON file. */
  isJson: boolean
  number: NumberFacts | undefined
  /** Leading zeros, or more digits than anybody counts: names of things, not numbers. */
  isCode: boolean
  longest: number
  constant: string | undefined
  texts: string[]
}

export interface NumberFacts {
  style: NumberStyle
  isInteger: boolean
  isNegative: boolean
  /** A currency stands with the amounts. */
  currency: string | undefined
  hasSign: boolean
  /** "1.234" only: a thousand or a little more than one. */
  isAmbiguous: boolean
  /** Texts between the numbers that are none, such as NA; few enough to mean "nothing". */
  nothing: string[]
}

const SHARE_MIN = 0.9
/** Different texts between numbers beyond which a column is none of numbers. */
const NOTHING_MAX = 3
const CODE_DIGITS_MIN = 10
const PHONES_TRIED = 100
const emailShape = /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/
const yesNo = new Set(['yes', 'no', 'y', 'n', 'true', 'false', 't', 'f'])

/** Looks at the cells of one column of a sample, blanks around them gone. */
export function describeValues(cells: string[]): ValueFacts {
  const texts = cells.filter(text => text !== '')
  const different = new Set(texts)
  const lower = new Set([...different].map(text => text.toLowerCase()))
  const share = (holds: (text: string) => boolean) =>
    texts.length === 0 ? 0 : texts.filter(holds).length / texts.length
  return {
    filled: texts.length,
    empty: cells.length - texts.length,
    distinct: different.size,
    emails: share(text => emailShape.test(text)),
    phones: phoneShare(texts),
    isYesNo: texts.length > 0 && [...lower].every(text => yesNo.has(text)),
    isZeroOne: texts.length > 0 && [...lower].every(text => text === '0' || text === '1'),
    isJson: texts.length > 0 && texts.every(text => /^[[{].*[\]}]$/s.test(text)),
    number: describeNumbers(texts),
    isCode: share(text => /^0\d/.test(text) || (/^\d+$/.test(text) && text.length >= CODE_DIGITS_MIN)) > 0.05,
    longest: texts.reduce((longest, text) => Math.max(longest, text.length), 0),
    constant: different.size === 1 ? texts[0] : undefined,
    texts,
  }
}

/** Share of texts that look like phone numbers; those with a + must also be ones. */
function phoneShare(texts: string[]): number {
  const tried = texts.slice(0, PHONES_TRIED)
  if (tried.length === 0) return 0
  const looksLike = (text: string) => {
    const digits = text.replace(/\D/g, '').length
    if (digits < 7 || digits > 15 || !/^[+(]?[\d\s().\-/]+(?:(?:x|ext\.?)\s*\d+)?$/i.test(text)) return false
    return text.startsWith('+') ? (parsePhoneNumberFromString(text)?.isPossible() ?? false) : true
  }
  return tried.filter(looksLike).length / tried.length
}

const amountShape = /^[-+(]?\d[\d.,'\s\u00A0\u202F]*\)?-?$/

function describeNumbers(texts: string[]): NumberFacts | undefined {
  if (texts.length === 0) return undefined
  const parts = texts.map(splitMoney)
  const amounts = parts.map(part => part.amount)
  if (amounts.filter(amount => amountShape.test(amount)).length / texts.length < SHARE_MIN) return undefined
  const { style, isAmbiguous } = guessStyle(amounts)
  const decimals = amounts.map(amount => parseDecimal(amount, style))
  const read = decimals.filter(decimal => decimal !== undefined)
  const nothing = [...new Set(texts.filter((_, index) => decimals[index] === undefined))]
  if (read.length / texts.length < SHARE_MIN || nothing.length > NOTHING_MAX) return undefined
  const currencies = new Set(parts.flatMap(part => part.currency ?? []))
  return {
    style,
    isAmbiguous,
    nothing,
    isInteger: read.every(decimal => !decimal.includes('.')),
    isNegative: read.some(decimal => decimal.startsWith('-')),
    currency: currencies.size === 1 ? [...currencies][0] : undefined,
    hasSign: texts.some(text => /[\p{Sc}]/u.test(text)) || currencies.size > 0,
  }
}

/** Which mark is the decimal one: the last of two kinds, or the one that is not followed by three digits. */
function guessStyle(amounts: string[]): { style: NumberStyle; isAmbiguous: boolean } {
  const votes = { '.': 0, ',': 0 }
  const groups = { '.': 0, ',': 0 }
  let blank = false
  let quote = false
  for (const amount of amounts) {
    if (/\d[\s\u00A0\u202F]\d{3}/.test(amount)) blank = true
    if (/\d'\d{3}/.test(amount)) quote = true
    const marks: string[] = amount.match(/[.,]/g) ?? []
    const last = marks.at(-1) as '.' | ',' | undefined
    if (last === undefined) continue
    const other = last === '.' ? ',' : '.'
    const isRepeated = marks.filter(mark => mark === last).length > 1
    if (marks.includes(other) && !isRepeated) {
      votes[last] += 1
      groups[other] += 1
    } else if (isRepeated) groups[last] += 1
    else if (!/[.,]\d{3}$/.test(amount.replace(/[^\d.,]/g, ''))) votes[last] += 1
  }
  const isOpen = votes['.'] === 0 && votes[','] === 0 && groups['.'] === 0 && groups[','] === 0
  const decimal = votes[','] > votes['.'] || (votes['.'] === 0 && groups['.'] > 0) ? ',' : '.'
  const mark = decimal === '.' ? ',' : '.'
  const single = amounts.find(amount => /^\D*[1-9]\d{0,2}[.,]\d{3}\D*$/.test(amount))
  const hasGroups = groups[mark] > 0 || amounts.some(amount => amount.includes(mark))
  const thousands = hasGroups ? mark : blank ? ' ' : quote ? "'" : ''
  return { style: { decimal, thousands }, isAmbiguous: isOpen && single !== undefined }
}
