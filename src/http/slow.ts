/** Ends connections whose body trickles in. In: the server's requests. Out: sockets destroyed that only hold a place. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** Over each window a body must end or bring this much; large uploads may take hours as long as they move. */
const WINDOW_MS = 8_000
const WINDOW_BYTES_MIN = 32 * 1024
const SWEEP_MS = 1_000

interface Reading {
  windowStart: number
  bytesAtStart: number
}

/**
 * Node limits the time of headers, but a limit on whole requests would also end honest uploads of gigabytes. Watching
 * costs a set entry a request and one sweep a second.
 */
export function watchSlowBodies(server: Server, now: () => number): void {
  const readings = new Map<IncomingMessage, Reading>()
  server.on('request', (request, response) => {
    if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) return
    readings.set(request, { windowStart: now(), bytesAtStart: request.socket.bytesRead })
    response.once('close', () => readings.delete(request))
  })
  const timer = setInterval(() => {
    for (const [request, reading] of readings) {
      if (request.complete || request.destroyed) readings.delete(request)
      else if (isTooSlow(request.socket, reading, request.readableLength, now())) request.socket.destroy()
    }
  }, SWEEP_MS)
  timer.unref()
  server.on('close', () => clearInterval(timer))
}

/** Starts a new window when the last one brought enough. Bytes that wait for us to read them are not the client's delay. */
function isTooSlow(socket: Socket, reading: Reading, waitingBytes: number, now: number): boolean {
  if (now - reading.windowStart < WINDOW_MS) return false
  const isEnough = socket.bytesRead - reading.bytesAtStart >= WINDOW_BYTES_MIN || waitingBytes > 0
  reading.windowStart = now
  reading.bytesAtStart = socket.bytesRead
  return !isEnough
}
