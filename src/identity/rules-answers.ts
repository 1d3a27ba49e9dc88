/** What the API answers about rules: in, their versions and applications; out, their shape in JSON. Pure. */
import { z } from 'zod'
import { identityRulesSchema } from '../spec/identifier.ts'
import type { Application, ApplicationFailure } from './store-applications.ts'
import type { RulesVersion } from './store-rules.ts'

export const versionSchema = z.object({
  version: z.number().int().describe('0: the defaults, never changed.'),
  rules: identityRulesSchema,
  createdAt: z.string().nullable(),
  createdBy: z.string().nullable().describe('Account or API key.'),
})

export const applicationSchema = z.object({
  id: z.string(),
  state: z.enum(['pending', 'running', 'done', 'failed']),
  version: z.number().int().nullable().describe('The version that it put in force.'),
  progress: z.object({ done: z.number().int(), total: z.number().int() }).describe('Events read, over all passes.'),
  requestedAt: z.string(),
  requestedBy: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  changedProfiles: z.number().int().nullable().describe('Profiles that changed, began or ended.'),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
})

export const presentVersion = ({
  version,
  rules,
  createdAt,
  createdBy,
}: RulesVersion): z.input<typeof versionSchema> => ({
  version,
  rules,
  createdAt: createdAt?.toISOString() ?? null,
  createdBy,
})

const failures: Record<ApplicationFailure, string> = {
  too_many_identifiers: 'There are more identifiers than one process can hold in memory.',
  archive_damaged: 'A file of the archive is not what it was: put it back from a backup, then apply the rules again.',
  interrupted:
    'It was begun several times and each time the program ended before it was done, perhaps for lack of memory.',
  internal: 'Something went wrong that should not have; the log of the server says where.',
}

export const presentApplication = (application: Application): z.input<typeof applicationSchema> => {
  const { id, state, version, done, total, requestedBy, changedProfiles, failure } = application
  return {
    id,
    // Telling ClickHouse is the end of running.
    state: state === 'projecting' ? 'running' : state,
    version,
    progress: { done, total },
    requestedAt: application.requestedAt.toISOString(),
    requestedBy,
    startedAt: application.startedAt?.toISOString() ?? null,
    finishedAt: application.finishedAt?.toISOString() ?? null,
    changedProfiles,
    failure: failure && { code: failure, message: failures[failure] },
  }
}
