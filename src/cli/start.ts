/** `throughline start`: the same as `npm start`. */
import { main } from '../main.ts'
import type { Command } from './command.ts'

export const start: Command = {
  summary: 'start the server',
  usage: `Usage: throughline start [--demo] [--roles=api,pipeline,jobs]

The environment has the settings; README.md lists them.`,
  async run(args, io) {
    await main(args, io.environment)
    return new Promise<number>(() => {})
  },
}
