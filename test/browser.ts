/** A real Chromium that came with npm, pages on an origin of their own, and scripts bundled for them. */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Chromium from '@sparticuz/chromium'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'

/** Not the package's own flags: those switch off the same-origin policy, which tests of CORS are about. */
const FLAGS = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-dev-shm-usage',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
]

/** Unpacked once per machine and version; where the system lacks the libraries it needs, those of the package are used. */
export async function openBrowser(): Promise<Browser> {
  const folder = join(tmpdir(), `throughline-chromium-${packageVersion()}`)
  if (!existsSync(folder)) await unpack(folder)
  const launch = (libraries: Record<string, string>) =>
    chromium.launch({
      executablePath: join(folder, 'chromium'),
      args: FLAGS,
      env: { ...process.env, FONTCONFIG_PATH: join(folder, 'fonts'), ...libraries } as Record<string, string>,
    })
  return launch({}).catch(() => launch({ LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') }))
}

function packageVersion(): string {
  const entry = dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium')))
  return JSON.parse(readFileSync(join(entry, '..', '..', 'package.json'), 'utf8')).version
}

/** Into a folder of its own first: two test files may start at the same time, and half a browser does not run. */
async function unpack(folder: string): Promise<void> {
  const own = mkdtempSync(join(tmpdir(), 'throughline-unpack-'))
  // The package unpacks into the temporary folder, and its libraries only where it believes to be on a bare machine.
  await withEnvironment({ TMPDIR: own, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' }, () => Chromium.executablePath())
  try {
    renameSync(own, folder)
  } catch (error) {
    rmSync(own, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}

async function withEnvironment<T>(values: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = { ...process.env }
  Object.assign(process.env, values)
  try {
    return await work()
  } finally {
    for (const name of Object.keys(values)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

/** Serves texts by path: HTML, or a script where the path ends in .js. The port makes it another origin. */
export async function servePages(pages: Record<string, string>): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const text = pages[(request.url ?? '/').split('?')[0] as string]
    const type = request.url?.endsWith('.js') ? 'text/javascript' : 'text/html'
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` })
    response.end(text ?? '')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Bundles a module for a page; imports are found from this project's node_modules. */
export async function bundleScript(module: string): Promise<string> {
  const result = await build({
    stdin: { contents: module, resolveDir: join(import.meta.dirname, '..'), loader: 'js' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  })
  return result.outputFiles[0]?.text ?? ''
}
