/** Finds the server that a command speaks to: by address and key, or through the socket in the data folder. */
import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { type Client, createClient } from '../client/index.ts'
import { socketFetch } from '../client/socket.ts'
import { StartError } from '../errors.ts'
import type { CommandIo } from './command.ts'

export interface Connection {
  client: Client
  baseUrl: string
  fetch: typeof globalThis.fetch
  headers: Record<string, string>
  close(): Promise<void>
}

export interface ConnectOptions {
  url?: string | undefined
  'api-key'?: string | undefined
  workspace?: string | undefined
}

/** For `parseArgs`; every command that speaks to the server takes these. */
export const connectArguments = {
  url: { type: 'string' },
  'api-key': { type: 'string' },
  workspace: { type: 'string' },
} as const

export const connectUsage = `  --url URL          where the server is; THROUGHLINE_URL, else this machine
  --api-key KEY      THROUGHLINE_API_KEY; not needed by whoever owns the data folder
  --workspace ID     which workspace, for the owner of the data folder; default: default`

/** Throws StartError when there is neither a key nor a running server's socket. */
export function connect({ environment }: CommandIo, options: ConnectOptions): Connection {
  const apiKey = options['api-key'] ?? environment.THROUGHLINE_API_KEY
  const workspace = options.workspace === undefined ? {} : { workspace: options.workspace }
  if (apiKey !== undefined) {
    const baseUrl = options.url ?? environment.THROUGHLINE_URL ?? `http://127.0.0.1:${environment.PORT ?? 7070}`
    const headers = { authorization: `Bearer ${apiKey}` }
    return {
      client: createClient({ baseUrl, apiKey }),
      baseUrl,
      fetch: globalThis.fetch,
      headers,
      close: async () => {},
    }
  }
  const folder = environment.THROUGHLINE_DATA_DIR ?? 'data'
  const path = join(isAbsolute(folder) ? folder : resolve(folder), 'throughline.sock')
  if (!existsSync(path)) {
    throw new StartError(`No server runs on the data folder ${folder}.`, {
      hint: 'Start it with npm start, or name another with --url and --api-key.',
    })
  }
  const { fetch, close } = socketFetch(path)
  const baseUrl = 'http://localhost'
  const headers: Record<string, string> =
    options.workspace === undefined ? {} : { 'throughline-workspace': options.workspace }
  return { client: createClient({ baseUrl, fetch, ...workspace }), baseUrl, fetch, headers, close }
}
