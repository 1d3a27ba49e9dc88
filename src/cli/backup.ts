/** `throughline backup FILE`: writes everything that cannot be made anew into one file, while the server works on. */
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { connect, connectArguments, connectUsage } from './connect.ts'

export const backup: Command = {
  summary: 'write everything that cannot be made anew into one file',
  usage: `Usage: throughline backup FILE [options]

The file holds personal data and password hashes: keep it where only you can read it.

${connectUsage}`,
  async run(args, io) {
    const { values, positionals } = parseArgs({ args, options: connectArguments, allowPositionals: true })
    const [file] = positionals
    if (file === undefined || positionals.length > 1) {
      io.err(backup.usage)
      return 2
    }
    const connection = connect(io, values)
    const part = `${file}.part`
    try {
      const stream = await connection.client.request('GET /api/v1/backups/current')
      await pipeline(Readable.fromWeb(stream as never), createWriteStream(part, { mode: 0o600, flush: true }))
      await rename(part, file)
      io.out(`Wrote ${file}: ${(await stat(file)).size} bytes.`)
      return 0
    } finally {
      await rm(part, { force: true })
      await connection.close()
    }
  },
}
