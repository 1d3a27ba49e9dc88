import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { claimDataFolder } from './data-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'throughline-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('refuses a folder on which another process runs, and says which', async () => {
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
  writeFileSync(join(folder, 'server.pid'), `${other.pid} \n`)
  expect(() => claimDataFolder(folder)).toThrow(new RegExp(`already running.*process ${other.pid}`))
  const gone = new Promise(resolve => other.once('exit', resolve))
  other.kill('SIGKILL')
  await gone
  claimDataFolder(folder).release()
})

it('takes over the claim of a process that is gone', () => {
  writeFileSync(join(folder, 'server.pid'), '99999999 123\n')
  claimDataFolder(folder).release()
})

it('takes over a claim whose process number now belongs to another program', () => {
  writeFileSync(join(folder, 'server.pid'), '1 12345678901234\n')
  claimDataFolder(folder).release()
})

it('makes the folder where there is none', () => {
  const nested = join(folder, 'a', 'b')
  claimDataFolder(nested).release()
  claimDataFolder(nested).release()
})
