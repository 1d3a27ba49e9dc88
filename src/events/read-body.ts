/** Bodies of requests, read within bounds. In: streams. Out: bytes; or `too_large`, `overloaded`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Problem } from '../errors.ts'
import { BODY_BYTES_MAX, bodyTooLarge } from './collect.ts'

/** All larger bodies in memory together; the smaller ones are bounded by the number of connections. */
const HELD_BYTES_MAX = 64 * 1024 * 1024
const SMALL_BYTES_MAX = 16 * 1024
/** A refused body is still read to its end up to here: a client that is cut off while sending often misses the answer. */
const DRAIN_BYTES_MAX = 8 * BODY_BYTES_MAX
const RETRY_AFTER_SECONDS = 2

export interface BodyReader {
  /** What a larger body holds is given back when its response closes, however that comes about. */
  read(request: IncomingMessage, response: ServerResponse): Promise<Buffer>
}

export function openBodyReader(): BodyReader {
  let held = 0
  return {
    read(request, response) {
      return new Promise((resolve, reject) => {
        const chunks: Buffer[] = []
        let length = 0
        let own = 0
        let problem: Problem | undefined
        const announced = Number(request.headers['content-length'] ?? 0)
        if (announced > DRAIN_BYTES_MAX) return reject(bodyTooLarge())
        if (announced > BODY_BYTES_MAX) problem = bodyTooLarge()

        request.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > DRAIN_BYTES_MAX) return finish(bodyTooLarge())
          if (length > BODY_BYTES_MAX) problem ??= bodyTooLarge()
          else if (held + length - own > HELD_BYTES_MAX && length > SMALL_BYTES_MAX) problem ??= overloaded()
          if (problem) chunks.splice(0)
          else chunks.push(chunk)
          if (!problem && length > SMALL_BYTES_MAX) hold()
        })
        request.on('end', () => finish(problem))
        request.on('error', finish)
        request.resume()

        function hold() {
          if (own === 0) response.once('close', () => (held -= own))
          held += length - own
          own = length
        }
        function finish(error?: Error) {
          if (error) reject(error)
          else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length))
        }
      })
    },
  }
}

const overloaded = () =>
  new Problem('overloaded', 'More arrives than can be read just now.', { retryAfterSeconds: RETRY_AFTER_SECONDS })
