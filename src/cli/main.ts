/** The command line: hands arguments, environment and output to the command that is named, and its exit code back. */
import manifest from '../../package.json' with { type: 'json' }
import { backup } from './backup.ts'
import type { Command, CommandIo } from './command.ts'
import { dispatch } from './dispatch.ts'
import { importFile } from './import.ts'
import { rebuild } from './rebuild.ts'
import { restore } from './restore.ts'
import { start } from './start.ts'

/** In the order of `--help`. */
const commands: Record<string, Command> = { start, import: importFile, rebuild, backup, restore }

const io: CommandIo = {
  out: (line: string) => process.stdout.write(`${line}\n`),
  err: (line: string) => process.stderr.write(`${line}\n`),
  environment: process.env,
  ...(process.stderr.isTTY ? { overwrite: (line: string) => process.stderr.write(`\r${line}\x1b[K`) } : {}),
  get input() {
    return process.stdin
  },
  onInterrupt() {
    const controller = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
    return controller.signal
  },
}
// Not process.exit: what is still being written to a pipe would be lost.
process.exitCode = await dispatch(process.argv.slice(2), io, { commands, version: manifest.version })
