/** For programs on the server's own machine. In: the path of the data folder's socket. Out: a fetch that goes through it. */
import { Agent, fetch as undiciFetch } from 'undici'

/** Requests through it are the local administrator's; give `baseUrl: 'http://localhost'` with it. Close it when done. */
export function socketFetch(path: string): { fetch: typeof globalThis.fetch; close(): Promise<void> } {
  const dispatcher = new Agent({ connect: { socketPath: path } })
  const fetch = (input: unknown, init?: unknown) =>
    undiciFetch(input as Parameters<typeof undiciFetch>[0], { ...(init as object), dispatcher })
  return { fetch: fetch as unknown as typeof globalThis.fetch, close: () => dispatcher.close() }
}
