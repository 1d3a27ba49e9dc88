/** The command line over a running world: what a person at a terminal types, and what they see. */
import type { CommandIo } from '../src/cli/command.ts'
import { dispatch } from '../src/cli/dispatch.ts'
import { importFile } from '../src/cli/import.ts'
import { API_KEY, type World } from './world.ts'

export interface Typed {
  code: number
  out: string
  err: string
}

/** `throughline import …`, with the key of the default workspace's admin unless told otherwise. */
export async function typeImport(world: World, args: string[], given: Partial<CommandIo> = {}): Promise<Typed> {
  const out: string[] = []
  const err: string[] = []
  const io = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    environment: { THROUGHLINE_URL: world.running.url, THROUGHLINE_API_KEY: API_KEY },
    ...given,
  }
  const code = await dispatch(['import', ...args], io, { commands: { import: importFile }, version: '' })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** The counts of the summary that an import ends with: `{ rows: 6, events: 4, …, no_identifier: 1 }`. */
export const countsIn = ({ out }: Typed): Record<string, number> =>
  Object.fromEntries(
    [...out.matchAll(/^ *(\w+) {2,}([\d,]+)/gm)].map(([, name, count]) => [name, Number(count?.replaceAll(',', ''))]),
  )
