/** `throughline restore FILE`: fills an empty data folder or database from a backup; the server must not run on it. */
import { parseArgs } from 'node:util'
import { restoreBackup } from '../backup/index.ts'
import { readConfig } from '../config.ts'
import { claimDataFolder } from '../store/data-folder.ts'
import { openDatabase, type Undo } from '../store/open.ts'
import type { Command } from './command.ts'

export const restore: Command = {
  summary: 'fill an empty data folder or database from a backup',
  usage: `Usage: throughline restore FILE

Restores into THROUGHLINE_DATA_DIR (default ./data) and, where it is set, DATABASE_URL; both must be empty.
Profiles and analytics are made anew when the server is started next.`,
  async run(args, io) {
    const { positionals } = parseArgs({ args, allowPositionals: true })
    const [file] = positionals
    const read = readConfig(io.environment, [])
    if (file === undefined || positionals.length > 1 || 'faults' in read) {
      io.err('faults' in read ? read.faults.join('\n') : restore.usage)
      return 2
    }
    const undo: Undo = []
    try {
      const folder = claimDataFolder(read.config.dataDir)
      undo.push(folder.release)
      const { postgres } = await openDatabase(read.config, undo)
      const restored = await restoreBackup(postgres, read.config.dataDir, file)
      io.out(`Restored the state of ${restored.at}: ${restored.tables} tables, ${restored.files} archive files.`)
      io.out('Start the server: it makes profiles and analytics anew.')
      return 0
    } finally {
      for (const step of undo.reverse()) await step()
    }
  },
}
