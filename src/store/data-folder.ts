/** The data folder belongs to one running server: it is claimed at start and given back at stop. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../errors.ts'

export interface DataFolder {
  path: string
  release(): void
}

/**
 * Makes the folder and claims it. A claim left by a process that is gone (kill -9, power cut) is taken over.
 * Throws StartError while another server is running on it.
 */
export function claimDataFolder(path: string): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new StartError(`The data folder ${path} cannot be made.`, {
      hint: `${(cause as NodeJS.ErrnoException).code}: choose another with THROUGHLINE_DATA_DIR.`,
      cause,
    })
  }
  const lock = join(path, 'server.pid')
  const claim = `${process.pid} ${startedAt(process.pid) ?? ''}\n`
  if (!tryClaim(lock, claim)) {
    const holder = readHolder(lock)
    if (holder !== undefined) {
      throw new StartError(`A server is already running on ${path} (process ${holder}).`, {
        hint: 'Use that one, stop it, or start this one with another THROUGHLINE_DATA_DIR and PORT.',
      })
    }
    rmSync(lock, { force: true })
    if (!tryClaim(lock, claim)) throw new StartError(`Another server is just starting on ${path}.`)
  }
  return { path, release: () => rmSync(lock, { force: true }) }
}

function tryClaim(lock: string, claim: string): boolean {
  try {
    writeFileSync(lock, claim, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The process that holds the claim, if it still is the one that made it: numbers are given out again. */
function readHolder(lock: string): number | undefined {
  const [pid = '', started = ''] = readFileSync(lock, 'utf8').trim().split(' ')
  const number = Number(pid)
  if (!Number.isInteger(number) || number <= 0 || number === process.pid) return undefined
  try {
    process.kill(number, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  const now = startedAt(number)
  return now === undefined || started === '' || now === started ? number : undefined
}

/** When a process was started, in the kernel's own unit; undefined where the system does not tell. */
function startedAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; field 22 is counted after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
