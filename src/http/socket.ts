/**
 * A second way in for whoever owns the data folder: the same app on a Unix socket that only they can open. In: a path.
 * Out: a listener whose requests `isLocal` recognises.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { StartError } from '../errors.ts'

export const SOCKET_NAME = 'throughline.sock'
const OWNER_ONLY_MASK = 0o177
/** The length of a path in `sockaddr_un`, less its end mark; the smallest of the systems we run on (macOS). */
const PATH_BYTES_MAX = 103

const localSockets = new WeakSet<Duplex>()

/** True for connections that came through the Unix socket. */
export const isLocal = (socket: Duplex): boolean => localSockets.has(socket)

export interface SocketListener {
  /** Takes no more; resolves when all that were at work have ended or, after so long, were cut. */
  close(cutAfterMs: number): Promise<void>
}

/** Returns undefined where the path is too long for the system; the owner then needs an API key like anyone else. */
export async function listenOnSocket(path: string, handle: RequestListener): Promise<SocketListener | undefined> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return undefined
  await removeStale(path)
  const server = createServer(handle)
  server.on('connection', (socket: Socket) => localSockets.add(socket))
  // The mask closes the moment between making the socket and changing its mode; listening on a path is synchronous.
  const mask = process.umask(OWNER_ONLY_MASK)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path }, resolve)
      process.umask(mask)
    })
  } finally {
    process.umask(mask)
  }
  chmodSync(path, 0o600)
  return {
    close: cutAfterMs =>
      new Promise(resolve => {
        const timer = setTimeout(() => server.closeAllConnections(), cutAfterMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

/** A killed server leaves its socket behind; one that answers belongs to a server that runs. */
async function removeStale(path: string): Promise<void> {
  const isAlive = await new Promise<boolean>(resolve => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (isAlive) {
    throw new StartError(`Another Throughline already serves ${path}.`, {
      hint: 'Stop it first, or choose another folder with THROUGHLINE_DATA_DIR.',
    })
  }
  rmSync(path, { force: true })
}
