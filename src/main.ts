/** `npm start`: reads settings, starts, says where it is, and stops cleanly on Ctrl-C or TERM. */
import { readConfig } from './config.ts'
import { DEMO_WORKSPACE, type DemoProgress, fillDemo } from './demo.ts'
import { StartError } from './errors.ts'
import { type Running, start } from './start.ts'
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
  const stopping = new AbortController()
  const end = async () => {
    if (stopping.signal.aborted) return
    stopping.abort()
    process.stdout.write('Stopping …\n')
    await starting.then(running => running.stop()).catch(() => {})
    process.exit(0)
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  try {
    const running = await starting
    if (stopping.signal.aborted) return
    process.stdout.write(welcome(running.url, running.first))
    if (read.config.demo) await showDemo(running, stopping.signal)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
    process.exit(EXIT_CANNOT_START)
  }
}

async function showDemo({ context }: Running, signal: AbortSignal): Promise<void> {
  let shown = -1
  const show = ({ events, share }: DemoProgress) => {
    const tenths = Math.floor(share * 10)
    if (tenths === shown) return
    shown = tenths
    process.stdout.write(`Demo workspace: ${tenths * 10} % (${events} events)\n`)
  }
  try {
    await fillDemo(context, show, signal)
    if (!signal.aborted) process.stdout.write(`Demo workspace: filled. Its id is "${DEMO_WORKSPACE}".\n`)
  } catch (error) {
    if (signal.aborted) return
    context.log.error({ error: (error as Error).name }, 'the demo could not be filled; start again to go on')
  }
}

if (import.meta.main) await main(process.argv.slice(2), process.env)
