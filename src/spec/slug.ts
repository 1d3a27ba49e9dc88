/** Ids that people can read. In: a name. Out: `lower-case-words`, different from those already taken. */

const SLUG_CHARACTERS_MAX = 48
export const SLUG_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/

/** `fallback` stands in where a name has no Latin letter or digit left. */
export function slugFrom(name: string, fallback: string): string {
  const slug = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_CHARACTERS_MAX)
    .replaceAll(/^-+|-+$/g, '')
  return slug === '' ? fallback : slug
}

/** The slug itself, or the first free one of `slug-2`, `slug-3` … */
export function freeSlug(slug: string, taken: ReadonlySet<string>): string {
  if (!taken.has(slug)) return slug
  for (let number = 2; ; number += 1) {
    const ending = `-${number}`
    const candidate = `${slug.slice(0, SLUG_CHARACTERS_MAX - ending.length)}${ending}`
    if (!taken.has(candidate)) return candidate
  }
}
