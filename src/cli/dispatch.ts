/** In: the words after `throughline`. Out: the exit code of the command that they name, or help. */
import { ApiError } from '../client/index.ts'
import { Problem, StartError } from '../errors.ts'
import type { Command, CommandIo } from './command.ts'

const EXIT_DONE = 0
const EXIT_FAILED = 1
const EXIT_MISUSED = 2

/** Runs one command. An expected failure is told in its own sentence; anything else is a bug and is thrown. */
export async function dispatch(
  args: string[],
  io: CommandIo,
  program: { commands: Record<string, Command>; version: string },
): Promise<number> {
  const [word, ...rest] = args
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    io.out(help(program.commands))
    return word === undefined ? EXIT_MISUSED : EXIT_DONE
  }
  if (word === '--version' || word === '-v') {
    io.out(program.version)
    return EXIT_DONE
  }
  const command = Object.hasOwn(program.commands, word) ? program.commands[word] : undefined
  if (command === undefined) {
    io.err(`throughline knows no command "${word}". See throughline --help.`)
    return EXIT_MISUSED
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(command.usage)
    return EXIT_DONE
  }
  return runCommand(command, rest, io)
}

async function runCommand(command: Command, args: string[], io: CommandIo): Promise<number> {
  try {
    return await command.run(args, io)
  } catch (error) {
    if (isMisuse(error)) {
      io.err(`${error.message.split('\n')[0]}\n\n${command.usage}`)
      return EXIT_MISUSED
    }
    if (!isExpected(error)) throw error
    io.err(error.message)
    if (error.hint !== undefined) io.err(error.hint)
    return EXIT_FAILED
  }
}

/** What `parseArgs` says of options that it does not know. */
const isMisuse = (error: unknown): error is Error =>
  error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')

const isExpected = (error: unknown): error is StartError | Problem | ApiError =>
  error instanceof StartError || error instanceof Problem || error instanceof ApiError

function help(commands: Record<string, Command>): string {
  const names = Object.keys(commands)
  const width = Math.max(0, ...names.map(name => name.length))
  const list = names.map(name => `  ${name.padEnd(width)}  ${commands[name]?.summary}`)
  return [
    'Usage: throughline <command> [options]',
    '',
    ...(list.length > 0 ? ['Commands', ...list, ''] : []),
    'throughline <command> --help says more of one; throughline --version says which this is.',
  ].join('\n')
}
