/** In: a stream and a culture. Out: a person's made-up name, a few of them chosen to be hard on interfaces. */
import { type CultureName, cultures, longNameParts, nameEmoji, rightToLeftNames } from './name-data.ts'
import { type Gender, planted } from './planted.ts'
import type { Stream } from './random.ts'

const letters: Record<string, string> = { ø: 'o', å: 'a', æ: 'ae', ł: 'l', ß: 'ss', ð: 'd', þ: 'th', đ: 'd' }

const PLAIN = /^[a-z]+$/i

/** Lower-case ASCII letters for an e-mail address; `guest` where the name has none. */
export const asciiOf = (name: string): string => {
  if (PLAIN.test(name)) return name.toLowerCase()
  const plain = name
    .toLowerCase()
    .replace(/[øåæłßðþđ]/g, letter => letters[letter] ?? '')
    .normalize('NFD')
    .replace(/[^a-z]/g, '')
  return plain === '' ? 'guest' : plain
}

export const surname = (stream: Stream, culture: CultureName): string =>
  stream.pick<string>(cultures[culture].surnameStarts) + stream.pick<string>(cultures[culture].surnameEnds)

export interface PersonName {
  first: string
  last: string
}

const LONG_NAME_PARTS = 5

/** `family` is the household's surname; some members keep their own. */
export const personName = (
  stream: Stream,
  from: { culture: CultureName; gender: Gender; family: string },
): PersonName => {
  const side = from.gender === 'other' ? stream.pick(['female', 'male'] as const) : from.gender
  const { rightToLeftNameShare, emojiNameShare, longNameShare } = planted.people
  const drawn = stream.unit()
  const first = stream.pick<string>(cultures[from.culture][side])
  const last = stream.chance(0.75) ? from.family : surname(stream, from.culture)
  if (drawn < rightToLeftNameShare) return stream.pick(rightToLeftNames.filter(name => name.gender === side))
  if (drawn < rightToLeftNameShare + emojiNameShare) return { first: `${first} ${stream.pick(nameEmoji)}`, last }
  if (drawn < rightToLeftNameShare + emojiNameShare + longNameShare) {
    const parts = Array.from({ length: LONG_NAME_PARTS }, () => stream.pick(longNameParts))
    return { first: parts.join(' '), last: `von ${surname(stream, from.culture)}-${last} zu ${from.family}` }
  }
  return { first, last }
}
