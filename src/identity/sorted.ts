/** Arrays kept in order: in, a sorted array and an item; out, its place, or the array with the item in it. */

type Compare<T> = (x: T, y: T) => number

/** How many items come before `item`, i.e. where it belongs. */
export function placeOf<T>(items: readonly T[], item: T, compare: Compare<T>): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(items[middle] as T, item) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** True when an item of the same place is already there. */
export function hasEqual<T>(items: readonly T[], item: T, compare: Compare<T>): boolean {
  const found = items[placeOf(items, item, compare)]
  return found !== undefined && compare(found, item) === 0
}

/** Puts the item in its place; most arrive in order, so the end is tried first. */
export function insertSorted<T>(items: T[], item: T, compare: Compare<T>): void {
  const last = items.at(-1)
  if (last === undefined || compare(last, item) <= 0) items.push(item)
  else items.splice(placeOf(items, item, compare), 0, item)
}
