import { describe, expect, test } from 'vitest'
import { Problem } from '../errors.ts'
import type { Command } from './command.ts'
import { dispatch } from './dispatch.ts'

const greet: Command = {
  summary: 'Says hello.',
  usage: 'Usage: throughline greet NAME',
  async run(args, io) {
    if (args[0] === 'nobody') throw new Problem('not_found', 'Nobody is there.', { hint: 'Name somebody.' })
    if (args[0] === 'bug') throw new TypeError('a bug')
    io.out(`Hello ${args.join(' ')} in ${io.environment.PLACE}`)
    return 0
  },
}

async function call(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const io = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    environment: { PLACE: 'Kiel' },
  }
  const code = await dispatch(args, io, { commands: { greet }, version: '1.2.3' })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

describe('the command line', () => {
  test('hands a command its words and surroundings, and its exit code back', async () => {
    expect(await call('greet', 'Ada', 'L')).toEqual({ code: 0, out: 'Hello Ada L in Kiel', err: '' })
  })

  test('lists its commands, and explains one', async () => {
    expect((await call('--help')).out).toContain('  greet  Says hello.')
    expect(await call('greet', '--help')).toEqual({ code: 0, out: greet.usage, err: '' })
    expect(await call('--version')).toEqual({ code: 0, out: '1.2.3', err: '' })
  })

  test('exits with 2 when it is called without a command or with one that it does not know', async () => {
    expect((await call()).code).toBe(2)
    const unknown = await call('constructor')
    expect(unknown.code).toBe(2)
    expect(unknown.err).toContain('"constructor"')
  })

  test('tells an expected failure in its own words, and lets a bug be seen', async () => {
    expect(await call('greet', 'nobody')).toEqual({ code: 1, out: '', err: 'Nobody is there.\nName somebody.' })
    await expect(call('greet', 'bug')).rejects.toThrow('a bug')
  })
})
