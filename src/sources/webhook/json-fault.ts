/**
 * Where a text stops being JSON: the text comes in, the position of the first fault goes out. The engine's own parser
 * names the place only sometimes, and quotes the text, which may be personal, when it does not.
 */

const blank = /[ \t\n\r]*/y
const scalar =
  /"[ !#-[\]-\u{10FFFF}]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\u{10FFFF}]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end' | 'nothing'

/** Index of the first character that cannot stand there (the length, if the text ends too early); undefined for JSON. */
export function findJsonFault(text: string): number | undefined {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let at = skip(blank, text, 0)
  while (at < text.length) {
    const sign = text[at] as string
    const isScalarDue: boolean = expected === 'value' || expected === 'value or ]'
    const isKeyDue: boolean = expected === 'key' || expected === 'key or }'
    let next = at + 1
    if (isScalarDue && (sign === '{' || sign === '[')) {
      open.push(sign)
      expected = sign === '{' ? 'key or }' : 'value or ]'
    } else if (closes(sign, expected, open.at(-1))) {
      open.pop()
      expected = open.length > 0 ? 'comma or end' : 'nothing'
    } else if (expected === 'comma or end' && sign === ',') {
      expected = open.at(-1) === '{' ? 'key' : 'value'
    } else if (expected === 'colon' && sign === ':') {
      expected = 'value'
    } else if (isScalarDue || (isKeyDue && sign === '"')) {
      next = skip(scalar, text, at)
      if (next === at) return at
      expected = isKeyDue ? 'colon' : open.length > 0 ? 'comma or end' : 'nothing'
    } else {
      return at
    }
    at = skip(blank, text, next)
  }
  return expected === 'nothing' ? undefined : text.length
}

function closes(sign: string, expected: Expected, open: '{' | '[' | undefined): boolean {
  if (sign === '}') return open === '{' && (expected === 'key or }' || expected === 'comma or end')
  return sign === ']' && open === '[' && (expected === 'value or ]' || expected === 'comma or end')
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
