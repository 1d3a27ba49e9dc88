/** `npm run lock`: npm writes only the packages of this platform into the lock where a registry lacks the others; `npm ci` then refuses it elsewhere. Adds their names and versions. */
import { readFileSync, writeFileSync } from 'node:fs'

const file = process.argv[2]
const lock = JSON.parse(readFileSync(file, 'utf8'))
const all = lock.packages
const find = (from, name) => {
  for (let p = from; ; p = p.includes('/node_modules/') ? p.slice(0, p.lastIndexOf('/node_modules/')) : '') {
    const key = `${p ? `${p}/` : ''}node_modules/${name}`
    if (all[key]) return key
    if (p === '') return undefined
  }
}
const added = []
for (const [path, entry] of Object.entries(all)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (find(path, name)) continue
    if (!/^\d/.test(version)) {
      console.log('range', path, name, version)
      continue
    }
    const os = /(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|windows|aix)/
      .exec(name)?.[1]
      .replace('windows', 'win32')
    const cpu = /(arm64|x64|ia32|riscv64|ppc64|s390x|loong64|mips64el|arm)/.exec(name)?.[1]
    if (!os) {
      console.log('no os', path, name, version)
      continue
    }
    const made = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      os: [os],
      ...(/musl/.test(name) ? { libc: ['musl'] } : /gnu/.test(name) ? { libc: ['glibc'] } : {}),
    }
    all[`node_modules/${name}`] = made
    added.push(name)
  }
}
lock.packages = Object.fromEntries(Object.entries(all).sort(([a], [b]) => a.localeCompare(b, 'en')))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log('added', added)
