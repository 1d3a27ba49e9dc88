/** A batch that fails comes in; the one event that makes it fail goes out. Pure but for what `fails` does. */

/**
 * Halves the suspects until one is left. `fails` tries a batch of only these and undoes it again. Returns undefined
 * when no single event fails by itself: then the fault is not an event's.
 */
export async function findPoison(
  suspects: string[],
  fails: (only: Set<string>) => Promise<boolean>,
): Promise<string | undefined> {
  let rest = suspects
  while (rest.length > 1) {
    const half = rest.slice(0, Math.ceil(rest.length / 2))
    rest = (await fails(new Set(half))) ? half : rest.slice(half.length)
  }
  const [last] = rest
  return last !== undefined && (await fails(new Set([last]))) ? last : undefined
}
