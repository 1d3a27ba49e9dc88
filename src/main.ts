/** `npm start`: reads settings, starts, says where it is, and stops cleanly on Ctrl-C or TERM. */
import { readConfig } from './config.ts'
import { StartError } from './errors.ts'
import { start } from './start.ts'
import { welcome } from './welcome.ts'

const EXIT_CANNOT_START = 1
const EXIT_BAD_SETTINGS = 2

/** Resolves once the server runs; the process then ends by a signal. */
export async function main(args: string[], environment: Record<string, string | undefined>): Promise<void> {
  const read = readConfig(environment, args)
  if ('faults' in read) {
    const faults = read.faults.map(fault => `  ${fault}\n`).join('')
    process.stderr.write(`Throughline cannot start with these settings:\n${faults}`)
    process.exit(EXIT_BAD_SETTINGS)
  }
  // A signal during the start waits for it: half-started databases would have to be found and ended next time.
  const starting = start(read.config)
  let isStopping = false
  const end = async () => {
    if (isStopping) return
    isStopping = true
    process.stdout.write('Stopping …\n')
    await starting.then(running => running.stop()).catch(() => {})
    process.exit(0)
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  try {
    const running = await starting
    if (!isStopping) process.stdout.write(welcome(running.url, running.first))
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
    process.exit(EXIT_CANNOT_START)
  }
}

if (import.meta.main) await main(process.argv.slice(2), process.env)
