#!/usr/bin/env node
// Runs src/cli/main.ts with the Node that the project pins, whatever Node started this file (20 or newer): the program
// is TypeScript that only a newer Node runs from source. Arguments, stdio, signals and the exit code pass through.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const COULD_NOT_START = 1
const BY_SIGNAL = 128

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const node = findNode()
if (node === undefined) {
  console.error(`throughline: its packages are not installed in ${root}.\nRun npm ci there, then try again.`)
  process.exit(COULD_NOT_START)
}
run(node)

function findNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json')
    const path = join(dirname(manifest), 'bin', 'node')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

function run(command) {
  const child = spawn(command, [join(root, 'src/cli/main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => pass(child, signal))
  child.on('error', error => {
    console.error(`throughline: ${command} could not be started (${error.code}).\nRun npm ci again.`)
    process.exit(COULD_NOT_START)
  })
  child.on('exit', (code, signal) => process.exit(code ?? BY_SIGNAL + constants.signals[signal]))
}

// A terminal sends Ctrl-C to the whole foreground group, so the child has it already; twice would mean "at once".
function pass(child, signal) {
  const isFromTerminal = signal === 'SIGINT' && (process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY)
  if (!isFromTerminal) child.kill(signal)
}
