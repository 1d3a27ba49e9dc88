/** `throughline rebuild`: everything that is derived is made anew from the log and the archive; shows how far it is. */
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { connect, connectArguments, connectUsage } from './connect.ts'

const POLL_MS = 500

export const rebuild: Command = {
  summary: 'make profiles and analytics anew from the log and the archive',
  usage: `Usage: throughline rebuild [options]

Events go on being accepted meanwhile. Stopping this command does not stop the rebuild.

${connectUsage}`,
  async run(args, io) {
    const { values } = parseArgs({ args, options: connectArguments })
    const connection = connect(io, values)
    try {
      let state = await connection.client.request('POST /api/v1/rebuilds')
      while (state.finishedAt === null) {
        io.err(
          state.startedAt === null ? 'waiting for the pipeline' : `${state.done} of ${state.total} groups of the log`,
        )
        await pause(POLL_MS)
        state = await connection.client.request('GET /api/v1/rebuilds/{id}', { params: { id: state.id } })
      }
      io.out(`Rebuilt from ${state.total} groups of the log.`)
      return 0
    } finally {
      await connection.close()
    }
  },
}
