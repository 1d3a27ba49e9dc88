/** Ends connections whose body trickles in. In: the server's requests. Out: sockets destroyed that only hold a place. */
import type { IncomingMessage, Server } from 'node:http'

/** Over each window a body must end or bring so much; large uploads may take hours as long as they move. */
const PATIENCE = { windowMs: 8_000, windowBytesMin: 32 * 1024, sweepMs: 1_000 }

interface Reading {
  windowStart: number
  bytesAtStart: number
}

/**
 * Node limits the time of headers, but a limit on whole requests would also end honest uploads of gigabytes. Watching
 * costs a set entry a request and one sweep a second.
 */
export function watchSlowBodies(server: Server, now: () => number, patience = PATIENCE): void {
  const readings = new Map<IncomingMessage, Reading>()
  server.on('request', (request, response) => {
    if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) return
    readings.set(request, { windowStart: now(), bytesAtStart: request.socket.bytesRead })
    // An early refusal ends the answer, not the body: that may still trickle and hold the socket.
    response.once('close', () => {
      if (request.complete) readings.delete(request)
    })
  })
  const timer = setInterval(() => {
    for (const [request, reading] of readings) {
      if (request.complete || request.destroyed) readings.delete(request)
      else if (isTooSlow(request, reading, now(), patience)) request.socket.destroy()
    }
  }, patience.sweepMs)
  timer.unref()
  server.on('close', () => clearInterval(timer))
}

/** Starts a new window when the last one brought enough. Bytes that wait for us to read them are not the client's delay. */
function isTooSlow(request: IncomingMessage, reading: Reading, now: number, patience: typeof PATIENCE): boolean {
  if (now - reading.windowStart < patience.windowMs) return false
  const bytes = request.socket.bytesRead
  const isEnough = bytes - reading.bytesAtStart >= patience.windowBytesMin || request.readableLength > 0
  reading.windowStart = now
  reading.bytesAtStart = bytes
  return !isEnough
}
