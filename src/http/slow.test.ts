import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { watchSlowBodies } from './slow.ts'

const patience = { windowMs: 100, windowBytesMin: 1_000, sweepMs: 10 }
let server: Server
afterEach(() => server.close())

/** Reads bodies to their end, unless it answers at once. */
async function listen(answersAtOnce: boolean): Promise<Socket> {
  server = createServer((request, response) => {
    if (answersAtOnce) response.writeHead(401).end()
    else request.resume().on('end', () => response.end('all read'))
    request.on('error', () => {})
  })
  watchSlowBodies(server, () => performance.now(), patience)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
}
const head = (length: number) => `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`

/** Writes `bytes` every 20 ms, `times` times or until the socket is gone. */
function trickle(socket: Socket, bytes: number, times: number): void {
  let left = times
  const timer = setInterval(() => {
    if (left <= 0 || socket.destroyed) return clearInterval(timer)
    left -= 1
    socket.write('x'.repeat(bytes))
  }, 20)
}

describe('a body that trickles', () => {
  it('ends with its connection', async () => {
    const socket = await listen(false)
    socket.write(head(100_000))
    trickle(socket, 1, 1_000)
    await once(socket, 'close')
    expect(socket.bytesWritten).toBeLessThan(1_000)
  })

  it('ends with it too when the request was refused before its body came', async () => {
    const socket = await listen(true)
    socket.write(head(100_000))
    trickle(socket, 1, 1_000)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toContain('401')
    await once(socket, 'close')
  })

  it('may take long as long as it moves', async () => {
    const socket = await listen(false)
    socket.write(head(15 * 500))
    trickle(socket, 500, 15)
    const began = performance.now()
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toContain('all read')
    expect(performance.now() - began).toBeGreaterThan(2 * patience.windowMs)
    socket.destroy()
  })
})
