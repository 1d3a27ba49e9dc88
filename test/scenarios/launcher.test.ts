/** bin/throughline.js, run as a process: in this clone, and in made-up ones where what it starts can be watched. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }

const root = join(import.meta.dirname, '../..')
const made: string[] = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

/** A clone of which only the launcher is real; `program` stands in for src/cli/main.ts. */
function makeClone(options: { isInstalled: boolean; program: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-launcher-'))
  made.push(folder)
  for (const path of ['bin', 'src/cli', 'node_modules/node/bin']) mkdirSync(join(folder, path), { recursive: true })
  copyFileSync(join(root, 'bin/throughline.js'), join(folder, 'bin/throughline.js'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'src/cli/main.ts'), options.program)
  if (options.isInstalled) {
    writeFileSync(join(folder, 'node_modules/node/package.json'), '{ "name": "node" }')
    symlinkSync(process.execPath, join(folder, 'node_modules/node/bin/node'))
  }
  return folder
}

const launch = (folder: string, args: string[] = []): ChildProcess =>
  spawn(process.execPath, [join(folder, 'bin/throughline.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })

async function runToEnd(folder: string, args: string[] = []) {
  const done = execFile(process.execPath, [join(folder, 'bin/throughline.js'), ...args])
  const texts = { out: '', err: '' }
  done.stdout?.on('data', text => {
    texts.out += text
  })
  done.stderr?.on('data', text => {
    texts.err += text
  })
  const [code] = await once(done, 'close')
  return { code, ...texts }
}

test('throughline --version runs the command line with the pinned Node', async () => {
  expect(await runToEnd(root, ['--version'])).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' })
  expect((await runToEnd(root, ['no-such-command'])).code).toBe(2)
})

test('arguments and exit code pass through', async () => {
  const folder = makeClone({
    isInstalled: true,
    program: 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7',
  })
  expect(await runToEnd(folder, ['import', 'a b.csv', '--dry'])).toEqual({
    code: 7,
    out: '["import","a b.csv","--dry"]\n',
    err: '',
  })
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s reaches the program, which may finish its work', async signal => {
  const program = `
    process.on('${signal}', () => { console.log('stopped'); process.exit(3) })
    setInterval(() => {}, 1000)
    console.log('ready')`
  const launcher = launch(makeClone({ isInstalled: true, program }))
  await once(launcher.stdout as NodeJS.ReadableStream, 'data')
  launcher.kill(signal)
  const [[text], [code]] = await Promise.all([
    once(launcher.stdout as NodeJS.ReadableStream, 'data'),
    once(launcher, 'exit'),
  ])
  expect(String(text)).toBe('stopped\n')
  expect(code).toBe(3)
})

test('a program that a signal ended exits as a shell would say it', async () => {
  const folder = makeClone({ isInstalled: true, program: "process.kill(process.pid, 'SIGKILL')" })
  expect((await runToEnd(folder)).code).toBe(137)
})

test('without installed packages it says what to run', async () => {
  const folder = makeClone({ isInstalled: false, program: '' })
  const { code, err } = await runToEnd(folder)
  expect(code).toBe(1)
  expect(err).toContain('npm ci')
})
