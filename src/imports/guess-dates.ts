/** Texts of one column in; the date formats that read them out, and the question that must be asked where two would do. */
import { compileDateFormat } from './dates.ts'

/** Share of the texts that must be dates for the column to be one of dates. */
const DATES_SHARE_MIN = 0.9

export interface DateGuess {
  formats: string[]
  hasTime: boolean
  /** What decided, for the user. */
  reason: string
  /** Set where the texts allow two readings; `formats` then holds both, which rejects the texts that differ. */
  question?: DateQuestion
}

export interface DateQuestion {
  text: string
  /** The likelier one first. */
  options: { label: string; formats: string[] }[]
}

/** Forms that can be read in one way only. Times may follow all but those of numbers. */
const plainForms = [
  'yyyy-M-d',
  'yyyy/M/d',
  'yyyy.M.d',
  'd-MMM-yyyy',
  'd-MMM-yy',
  'd MMM yyyy',
  'd MMMM yyyy',
  'd/MMM/yyyy',
  'MMM d, yyyy',
  'MMM d yyyy',
  'MMMM d, yyyy',
]
/** Read only where the header speaks of a date: an order number may look like any of these. */
const numericForms = ['yyyyMMdd', 'epoch-seconds', 'epoch-milliseconds']
const numericShape: { [form: string]: RegExp } = {
  yyyyMMdd: /^(19|20)\d{6}$/,
  'epoch-seconds': /^\d{10}(\.\d+)?$/,
  'epoch-milliseconds': /^\d{13}$/,
}

const timeShape =
  /^(.*?\d)(T|,? +)(\d{1,2}:\d{2}(?::\d{2})?(?:\.\d{3}|\.\d{6})?)( ?[AaPp]\.?[Mm]\.?)?( ?(?:Z|[+-]\d{2}:?\d{2}))?$/
const orderedShape = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$/

/** Texts of one form, apart from which number is the day. */
interface Family {
  separator: string
  year: 'yyyy' | 'yy'
  time: string
  first: string
  count: number
  dayFirst: number
  monthFirst: number
}

/**
 * Finds the date formats of a column.
 * @param texts the filled cells of a sample, blanks around them gone
 * @param mayBeNumeric whether the header says that this is a date
 */
export function guessDates(texts: string[], mayBeNumeric: boolean): DateGuess | undefined {
  if (texts.length === 0) return undefined
  if (mayBeNumeric) {
    const share = (form: string) =>
      texts.filter(text => numericShape[form]?.test(text) && readerOf(form)(text)).length / texts.length
    const form = numericForms.find(each => share(each) >= DATES_SHARE_MIN)
    if (form !== undefined) return { formats: [form], hasTime: form !== 'yyyyMMdd', reason: `read as ${form}` }
  }
  const plain = new Map<string, number>()
  const families = new Map<string, Family>()
  for (const text of texts) {
    const { date, time } = splitTime(text)
    const format = plainFormat(text, date, time)
    if (format !== undefined) plain.set(format, (plain.get(format) ?? 0) + 1)
    else countOrdered(date, time, text, families)
  }
  const read = [...plain.values(), ...[...families.values()].map(family => family.count)].reduce(
    (sum, each) => sum + each,
    0,
  )
  if (read / texts.length < DATES_SHARE_MIN) return undefined
  const hasTime = texts.some(text => /\d:\d\d/.test(text))
  return decide([...plain.keys()], [...families.values()], hasTime)
}

function splitTime(text: string): { date: string; time: string } {
  const match = timeShape.exec(text)
  if (!match) return { date: text, time: '' }
  const [, date = '', gap = '', clock = '', half, offset] = match
  const [, ...others] = clock.split(':')
  const hour = half === undefined ? 'H' : 'h'
  const seconds = others[1] ?? ''
  const fraction = seconds.includes('.') ? `.${'S'.repeat(seconds.length - seconds.indexOf('.') - 1)}` : ''
  const pattern = `${hour}:mm${others.length > 1 ? ':ss' : ''}${fraction}`
  const suffix =
    (half === undefined ? '' : half.startsWith(' ') ? ' a' : 'a') +
    (offset === undefined ? '' : offset.startsWith(' ') ? ' X' : 'X')
  return { date, time: (gap === 'T' ? "'T'" : gap.replace(/ +$/, ' ')) + pattern + suffix }
}

function plainFormat(text: string, date: string, time: string): string | undefined {
  if (readerOf('iso')(text)) return 'iso'
  const form = plainForms.find(each => readerOf(each)(date))
  if (form === undefined) return undefined
  return readerOf(form + time)(text) ? form + time : undefined
}

const readers = new Map<string, ReturnType<typeof compileDateFormat>>()
function readerOf(format: string) {
  let reader = readers.get(format)
  if (!reader) {
    reader = compileDateFormat(format)
    readers.set(format, reader)
  }
  return reader
}

function countOrdered(date: string, time: string, text: string, families: Map<string, Family>): void {
  const [, first = '', separator = '', second = '', year = ''] = orderedShape.exec(date) ?? []
  const yearForm = year.length === 4 ? 'yyyy' : 'yy'
  const isDayFirst = readerOf(`d${separator}M${separator}${yearForm}${time}`)(text) !== undefined
  const isMonthFirst = readerOf(`M${separator}d${separator}${yearForm}${time}`)(text) !== undefined
  if (first === '' || second === '' || !(isDayFirst || isMonthFirst)) return
  const key = separator + yearForm + time
  const family = families.get(key) ?? {
    separator,
    year: yearForm,
    time,
    first: text,
    count: 0,
    dayFirst: 0,
    monthFirst: 0,
  }
  family.count += 1
  if (!isMonthFirst) family.dayFirst += 1
  if (!isDayFirst) family.monthFirst += 1
  if (isMonthFirst && isDayFirst && first !== second && family.first === text) family.first = text
  families.set(key, family)
}

type Order = 'day' | 'month'
const formatOf = ({ separator, year, time }: Family, order: Order) =>
  (order === 'day' ? ['d', 'M', year] : ['M', 'd', year]).join(separator) + time

function decide(plain: string[], families: Family[], hasTime: boolean): DateGuess {
  const formats = [...plain]
  const open: Family[] = []
  const reasons = plain.length > 0 ? [`read as ${plain.join(' and ')}`] : []
  for (const family of families) {
    const { dayFirst, monthFirst, count } = family
    // Both orders in one family is a file put together from two: no order reads it.
    if (dayFirst > 0 && monthFirst > 0) {
      formats.push(formatOf(family, 'day'), formatOf(family, 'month'))
      reasons.push(`${dayFirst} values are day first and ${monthFirst} month first; the others cannot be told apart`)
    } else if (dayFirst + monthFirst > 0) {
      const order = dayFirst > 0 ? 'day' : 'month'
      formats.push(formatOf(family, order))
      reasons.push(`${order} first: ${dayFirst + monthFirst} of ${count} values can be read in no other way`)
    } else open.push(family)
  }
  if (open.length === 0) return { formats, hasTime, reason: reasons.join('; ') }
  const decided = families.filter(family => !open.includes(family))
  const question = ask(open, formats, decided)
  return {
    formats: [...new Set(question.options.flatMap(option => option.formats))],
    hasTime,
    reason: [...reasons, `${question.text}`].join('; '),
    question,
  }
}

function ask(open: Family[], formats: string[], decided: Family[]): DateQuestion {
  const [first] = open
  const isMonthLikely = decided.some(family => family.monthFirst > 0) && !decided.some(family => family.dayFirst > 0)
  const orders: Order[] = isMonthLikely ? ['month', 'day'] : ['day', 'month']
  const count = open.reduce((sum, family) => sum + family.count, 0)
  return {
    text: `"${first?.first ?? ''}" could be day first or month first; ${count} values of the sample allow both`,
    options: orders.map(order => ({
      label: order === 'day' ? 'Day first' : 'Month first',
      formats: [...formats, ...open.map(family => formatOf(family, order))],
    })),
  }
}
