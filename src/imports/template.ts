/** A text with columns in braces in, `"{FirstName} {LastName}"`; what it says for one row out. */

/** `{{` and `}}` stand for braces. */
const part = /\{\{|\}\}|\{([^{}]+)\}|[{}]/g

/** A template taken apart: texts that stand as they are, and columns. */
export type TemplateParts = ({ text: string } | { column: string })[]

/** Why a text is no template, or nothing. */
export function faultOfTemplate(template: string): string | undefined {
  for (const match of template.matchAll(part)) {
    if (match[0] === '{' || match[0] === '}') return 'a brace stands alone; write {{ or }} for a brace'
  }
  return undefined
}

export function parseTemplate(template: string): TemplateParts {
  const parts: TemplateParts = []
  let text = ''
  let at = 0
  for (const match of template.matchAll(part)) {
    text += template.slice(at, match.index)
    at = match.index + match[0].length
    if (match[1] === undefined) text += match[0].charAt(0)
    else {
      if (text !== '') parts.push({ text })
      text = ''
      parts.push({ column: match[1].trim() })
    }
  }
  text += template.slice(at)
  if (text !== '') parts.push({ text })
  return parts
}

export const columnsOf = (parts: TemplateParts): string[] =>
  parts.flatMap(each => ('column' in each ? [each.column] : []))

/** What the template says, blanks around columns and between the pieces tidied; nothing where no column has a value. */
export function fillTemplate(parts: TemplateParts, textOf: (column: string) => string): string | undefined {
  const [only] = parts
  if (parts.length === 1 && only && 'column' in only) return textOf(only.column) || undefined
  let filled = ''
  let hasColumn = false
  let hasValue = false
  for (const each of parts) {
    if ('text' in each) filled += each.text
    else {
      hasColumn = true
      const text = textOf(each.column)
      if (text !== '') hasValue = true
      filled += text
    }
  }
  if (hasColumn && !hasValue) return undefined
  return filled.replace(/ {2,}/g, ' ').trim() || undefined
}
