/** `npm start`: reads settings, starts, says where it is, and stops cleanly on Ctrl-C or TERM. */
import { readConfig } from './config.ts'
import { StartError } from './errors.ts'
import { start } from './start.ts'
import { welcome } from './welcome.ts'

const EXIT_CANNOT_START = 1
const EXIT_BAD_SETTINGS = 2

const read = readConfig(process.env, process.argv.slice(2))
if ('faults' in read) {
  process.stderr.write(
    `Throughline cannot start with these settings:\n${read.faults.map(fault => `  ${fault}\n`).join('')}`,
  )
  process.exit(EXIT_BAD_SETTINGS)
}

let isStopping = false
let stop: (() => Promise<void>) | undefined
async function end() {
  if (isStopping) return
  isStopping = true
  process.stdout.write('Stopping …\n')
  await stop?.()
  process.exit(0)
}
process.on('SIGINT', end)
process.on('SIGTERM', end)

try {
  const running = await start(read.config)
  stop = running.stop
  process.stdout.write(welcome(running.url, running.first))
} catch (error) {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
  process.exit(EXIT_CANNOT_START)
}
