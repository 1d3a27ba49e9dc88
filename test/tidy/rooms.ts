/** Who may import whom. In: source files. Out: each import that leaves its room the wrong way, as a sentence. */
import { type Import, isTest, type Source } from './source.ts'

/** Data moves right, imports point left: a room may import those before it. */
// A new workspace comes with a source, so workspaces know sources and not the other way round.
const flow = ['sources', 'workspaces', 'events', 'identity', 'profiles', 'audiences', 'destinations']
/** What every room stands on; each of their files may be imported by itself. */
const platform = ['spec', 'store', 'http']

/** Per folder of `src/`: the folders it may import from. A folder that is not here has no place yet: give it one. */
const mayImport: Record<string, readonly string[]> = {
  spec: [],
  store: [],
  http: ['spec', 'store'],
  ...Object.fromEntries(flow.map((room, index) => [room, [...platform, ...flow.slice(0, index)]])),
  // File import is a source: it makes events and knows nothing of what becomes of them.
  imports: [...platform, 'workspaces', 'sources', 'events'],
  // A backup holds what every room keeps.
  backup: [...platform, ...flow],
  simulator: ['spec'],
  client: ['spec'],
  cli: ['spec', 'store', 'client', 'backup'],
}

/** The files directly in `src/` that rooms may know; all others there (main, pipeline …) join rooms and are known to none. */
const common: Record<string, readonly string[]> = {
  spec: [],
  simulator: [],
  client: [],
  store: ['src/errors.ts', 'src/config.ts'],
  cli: ['src/errors.ts', 'src/config.ts', 'src/context.ts', 'src/main.ts'],
}
const commonToAll = ['src/errors.ts', 'src/config.ts', 'src/context.ts']

/** `spec` is words and their checks: it needs no other package. */
const specPackages = /^(zod|libphonenumber-js(\/.*)?)$/

/** `src/events/take.ts` → `events`; a file directly in `src/` is in no room. */
export const roomOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1]

export function wrongImports(sources: Source[]): string[] {
  const inRooms = sources.filter(source => roomOf(source.path) !== undefined && !isTest(source.path))
  const rooms = new Set(inRooms.map(source => roomOf(source.path) as string))
  const homeless = [...rooms].filter(room => !(room in mayImport))
  return [
    ...homeless.map(room => `src/${room}/ has no place in test/tidy/rooms.ts yet`),
    ...inRooms.flatMap(source =>
      source.imports.flatMap(item => {
        const fault = faultOf(source.path, item)
        return fault === undefined ? [] : [`${source.path}:${item.line} imports ${item.target}: ${fault}`]
      }),
    ),
  ]
}

function faultOf(path: string, item: Import): string | undefined {
  const room = roomOf(path) as string
  const allowed = mayImport[room]
  if (allowed === undefined) return undefined
  if (!item.isFile) {
    if (room === 'spec' && !specPackages.test(item.target)) return 'spec uses no package but zod and libphonenumber-js'
    return undefined
  }
  if (room === 'cli' && item.target === 'package.json') return undefined
  if (!item.target.startsWith('src/')) return 'the program must run without it'
  // The client's types follow from the routes; nothing of the server runs in it.
  if (room === 'client' && item.isTypeOnly) return undefined
  const target = roomOf(item.target)
  if (target === room) return undefined
  if (target === undefined) {
    return (common[room] ?? commonToAll).includes(item.target) ? undefined : `${room} may not know it`
  }
  if (!allowed.includes(target)) return `${room} may not know ${target}`
  if (!platform.includes(target) && target !== 'client' && !item.target.endsWith('/index.ts')) {
    return `the inside of ${target} is its own; ask its index.ts`
  }
  return undefined
}
