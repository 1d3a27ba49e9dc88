/**
 * Text of a JSON or NDJSON file in, drafts of rows out, one by one: the file as a whole is never parsed, so that memory
 * stays flat however long its list is.
 */
import { draftJsonRow, endOfString } from './json-value.ts'
import {
  BROKEN_RAW_CHARS_MAX,
  breakRow,
  FileFault,
  ROW_CHARS_MAX,
  type RowDraft,
  type SplitPhase,
  type Splitter,
} from './row.ts'

/**
 * `array`: the file is a list. `object`: an object one of whose fields is the list of rows. `sequence`: objects one
 * after another, however they are broken into lines.
 */
export type JsonShape = 'array' | 'object' | 'sequence'

/** One JSON value a line. */
export function createLineSplitter(initialPhase: SplitPhase = 'items'): Splitter {
  let isSkipping = initialPhase === 'skipping'
  return {
    phase: () => (isSkipping ? 'skipping' : 'items'),
    split(text, isLast) {
      const drafts: RowDraft[] = []
      let at = 0
      while (at < text.length) {
        const newlineAt = text.indexOf('\n', at)
        if (newlineAt < 0 && !isLast) break
        const raw = text.slice(at, newlineAt < 0 ? text.length : newlineAt).trim()
        at = newlineAt < 0 ? text.length : newlineAt + 1
        if (isSkipping) isSkipping = false
        else if (raw !== '') drafts.push(draftJsonRow(raw))
      }
      if (isSkipping) return { drafts, consumed: text.length }
      if (text.length - at <= ROW_CHARS_MAX) return { drafts, consumed: at }
      isSkipping = true
      drafts.push(tooLong(text, at))
      return { drafts, consumed: text.length }
    },
  }
}

const tooLong = (text: string, at: number) =>
  breakRow(
    'row_too_long',
    `the row is longer than ${ROW_CHARS_MAX} characters`,
    text.slice(at, at + BROKEN_RAW_CHARS_MAX),
  )

/** A place in the structure around the list. */
type Place = 'start' | 'key' | 'value' | 'items' | 'afterList' | 'end'

/**
 * The rows of one list.
 * @param list name of the field that holds the list; without it the first list of objects is taken, and a second one
 *   is an error: which was meant is not ours to guess
 */
export const createItemSplitter = (shape: JsonShape, list?: string, initialPhase: SplitPhase = 'start'): Splitter =>
  new ItemSplitter(shape, list, initialPhase)

class ItemSplitter implements Splitter {
  readonly #shape: JsonShape
  readonly #list: string | undefined
  #place: Place
  #hasList: boolean
  /** Name of the field whose value is being read. */
  #key = ''
  /** Inside a value of the frame that is passed over: how deep, and whether in a string. */
  readonly #passed = { depth: 0, isString: false }

  constructor(shape: JsonShape, list: string | undefined, phase: SplitPhase) {
    this.#shape = shape
    this.#list = list
    this.#place = phase === 'items' || shape === 'sequence' ? 'items' : phase === 'end' ? 'end' : 'start'
    this.#hasList = this.#place !== 'start'
  }

  phase(): SplitPhase {
    if (this.#place === 'items') return 'items'
    return this.#place === 'end' ? 'end' : 'start'
  }

  split(text: string, isLast: boolean): { drafts: RowDraft[]; consumed: number } {
    const drafts: RowDraft[] = []
    let at = 0
    for (;;) {
      const isInString = this.#place === 'value' && this.#passed.isString
      at = isInString ? at : skipBlanks(text, at)
      if (at >= text.length) break
      const before = this.#place
      const next = before === 'items' ? this.#stepItems(text, at, isLast, drafts) : this.#stepFrame(text, at)
      if (next < 0 || (next === at && this.#place === before)) break
      at = next
    }
    if (text.length - at > ROW_CHARS_MAX) {
      throw damaged(`A row is longer than ${ROW_CHARS_MAX} characters, or never ends.`)
    }
    if (!isLast) return { drafts, consumed: at }
    this.#finish(drafts, text.slice(at).trim())
    return { drafts, consumed: text.length }
  }

  /** One row of the list, or what stands between two. Returns the next place in the text, or −1 to wait for more. */
  #stepItems(text: string, at: number, isLast: boolean, drafts: RowDraft[]): number {
    if (text[at] === ',') return at + 1
    if (this.#shape !== 'sequence' && text[at] === ']') {
      this.#place = this.#shape === 'array' ? 'end' : 'afterList'
      return at + 1
    }
    const end = endOfItem(text, at, isLast)
    if (end >= 0) drafts.push(draftJsonRow(text.slice(at, end)))
    return end
  }

  /** One step through the frame around the list. Returns as `#stepItems` does. */
  #stepFrame(text: string, at: number): number {
    switch (this.#place) {
      case 'start':
        if (text[at] !== (this.#shape === 'array' ? '[' : '{')) {
          throw damaged('The file does not begin with a list or an object.')
        }
        this.#place = this.#shape === 'array' ? 'items' : 'key'
        this.#hasList = this.#shape === 'array'
        return at + 1
      case 'end':
        throw damaged('Something follows the end of the JSON.')
      case 'value':
        return this.#stepValue(text, at)
      default:
        return this.#stepKey(text, at)
    }
  }

  #stepKey(text: string, at: number): number {
    if (text[at] === ',') return at + 1
    if (text[at] === '}') {
      this.#place = 'end'
      return at + 1
    }
    if (text[at] !== '"') throw damagedFrame()
    const end = endOfString(text, at)
    if (end < 0) return -1
    const colon = skipBlanks(text, end + 1)
    if (colon >= text.length) return -1
    if (text[colon] !== ':') throw damagedFrame()
    this.#key = nameOf(text.slice(at, end + 1))
    this.#place = 'value'
    return colon + 1
  }

  #stepValue(text: string, at: number): number {
    const isBegin = this.#passed.depth === 0 && !this.#passed.isString
    const opens = isBegin ? this.#opensList(text, at) : 'no'
    if (opens === 'wait') return -1
    if (opens === 'yes') {
      this.#place = 'items'
      this.#hasList = true
      return at + 1
    }
    const next = passOver(text, at, this.#passed)
    if (next.isDone) this.#place = 'key'
    return next.at
  }

  #opensList(text: string, at: number): 'wait' | 'yes' | 'no' {
    if (text[at] !== '[') return 'no'
    if (this.#list !== undefined) return this.#key === this.#list ? 'yes' : 'no'
    const first = skipBlanks(text, at + 1)
    if (first >= text.length) return 'wait'
    if (text[first] !== '{') return 'no'
    if (!this.#hasList) return 'yes'
    throw new FileFault(
      'several_lists',
      'The file holds more than one list of objects; name the one to read (format.list).',
    )
  }

  /** At the end of the file: what is left over is a row cut short, and a file without a list is not readable at all. */
  #finish(drafts: RowDraft[], rest: string): void {
    if (rest !== '') drafts.push(breakRow('invalid_json', 'the file ends inside this row', rest))
    else if (!this.#hasList) {
      throw new FileFault('no_list', 'The file holds no list of objects; expected [{…}, …] or {"name": [{…}, …]}.')
    } else if (this.#place !== 'end' && this.#shape !== 'sequence') {
      drafts.push(breakRow('invalid_json', 'the file ends before its list does', ''))
    }
  }
}

const damaged = (message: string) => new FileFault('damaged_json', message)
const damagedFrame = () => damaged('The file is not valid JSON around its list of rows.')

function nameOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    throw damagedFrame()
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break
    at += 1
  }
  return at
}

/** The place behind the item that begins at `from`, or −1 where the text ends before it. */
function endOfItem(text: string, from: number, isLast: boolean): number {
  const opens = text.charCodeAt(from)
  if (opens === 34) return endOfString(text, from) + 1 || -1
  if (opens !== 123 && opens !== 91) {
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code === 44 || code === 93 || code === 125 || code <= 32) return Math.max(at, from + 1)
    }
    return isLast ? text.length : -1
  }
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      at = endOfString(text, at)
      if (at < 0) return -1
    } else if (code === 123 || code === 91) depth += 1
    else if (code === 125 || code === 93) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return -1
}

/** Passes over one value of the frame, as far as the text goes; the state carries over to the next stretch of text. */
function passOver(
  text: string,
  from: number,
  state: { depth: number; isString: boolean },
): { at: number; isDone: boolean } {
  let at = from
  while (at < text.length) {
    if (state.isString) {
      const end = endOfString(text, at - 1)
      // Backslashes at the very end belong to the first character of the next stretch.
      if (end < 0) return { at: endWithoutSlashes(text, from), isDone: false }
      state.isString = false
      at = end + 1
      if (state.depth === 0) return { at, isDone: true }
      continue
    }
    const code = text.charCodeAt(at)
    if (code === 34) state.isString = true
    else if (code === 123 || code === 91) state.depth += 1
    else if (code === 125 || code === 93) {
      if (state.depth === 0) return { at, isDone: true }
      state.depth -= 1
      if (state.depth === 0) return { at: at + 1, isDone: true }
    } else if (code === 44 && state.depth === 0) return { at, isDone: true }
    at += 1
  }
  return { at, isDone: false }
}

function endWithoutSlashes(text: string, from: number): number {
  let end = text.length
  while (end > from && text.charCodeAt(end - 1) === 92) end -= 1
  return end
}
