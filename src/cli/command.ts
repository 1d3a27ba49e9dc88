/** What a command of `throughline` is: one file in this folder exports one. */
export interface Command {
  /** One line of the list that `--help` shows. */
  summary: string
  /** All that `throughline <command> --help` shows. */
  usage: string
  /** Takes the words after the command's own. Resolves to the exit code: 0 done, 1 failed, 2 wrongly called. */
  run(args: string[], io: CommandIo): Promise<number>
}

/** What a command gets instead of reaching for it. */
export interface CommandIo {
  /** Writes a line for whoever (or whatever) reads the result. */
  out(line: string): void
  /** Writes a line for the person at the terminal. */
  err(line: string): void
  environment: Record<string, string | undefined>
  /** Writes over the last line that it wrote; absent where nobody watches a terminal. */
  overwrite?(line: string): void
  /** What is piped into the command. */
  input?: AsyncIterable<Buffer>
  /** From now on Ctrl-C and TERM end nothing by themselves, but abort this signal; a second one ends the program. */
  onInterrupt?(): AbortSignal
}
