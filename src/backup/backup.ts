/** Everything that cannot be made anew goes out as one compressed stream, as it stood at one moment, while the server works on. */
import { createReadStream } from 'node:fs'
import { relative } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createZstdCompress } from 'node:zlib'
import type { Context } from '../context.ts'
import { archiveFolder, listArchive } from '../events/index.ts'
import { derivedTables } from './derived.ts'
import { encodeParts, type Part } from './frames.ts'
import { beginSnapshot, listTables, readTable } from './store.ts'

/** The stream fails (and the file is useless) when the database does; `restore` notices a file that was cut short. */
export function openBackup(context: Pick<Context, 'postgres' | 'config' | 'now'>): Readable {
  const output = new PassThrough()
  pipeline(Readable.from(encodeParts(readParts(context))), createZstdCompress(), output).catch(error =>
    output.destroy(error),
  )
  return output
}

async function* readParts({
  postgres,
  config,
  now,
}: Pick<Context, 'postgres' | 'config' | 'now'>): AsyncGenerator<{ part: Part; bytes?: AsyncIterable<Buffer> }> {
  const client = await postgres.connect()
  let parts = 0
  try {
    const snapshot = await beginSnapshot(client)
    const files = await listArchive(archiveFolder(config.dataDir))
    yield { part: { kind: 'begin', format: 1, at: new Date(now()).toISOString(), ...snapshot } }
    for (const table of await listTables(client, derivedTables)) {
      parts += 1
      yield { part: { kind: 'table', ...table }, bytes: readTable(client, table) }
    }
    for (const path of files.flatMap(file => [file.path, `${file.path}.json`])) {
      parts += 1
      yield {
        part: { kind: 'file', path: relative(archiveFolder(config.dataDir), path) },
        bytes: createReadStream(path),
      }
    }
    await client.query('commit')
    yield { part: { kind: 'end', parts } }
  } finally {
    // A reader that went away leaves a COPY half done: the connection ends with it.
    client.release(true)
  }
}
