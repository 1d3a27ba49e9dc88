/** Where events come from. In: a row. Out: what others see of it: the source as the program uses it, and its JSON for a role. */
import { z } from 'zod'
import { isAtLeast, type WorkspaceRole } from '../http/route.ts'
import type { JsonObject } from '../spec/json.ts'
import type { Snippet } from './snippets.ts'
import { showWebhookSettings } from './webhook-settings.ts'

const sourceKinds = ['http', 'webhook', 'import', 'system'] as const
export type SourceKind = (typeof sourceKinds)[number]
/** `system` sources are made by the program itself. */
export const creatableKinds = ['http', 'webhook', 'import'] as const

export interface Source {
  workspaceId: number
  /** Fixed and readable; unique within the workspace, also among archived ones, because events name it. */
  slug: string
  name: string
  kind: SourceKind
  writeKey: string
  isEnabled: boolean
  settings: JsonObject
  createdAt: Date
}

const NAME_CHARACTERS_MAX = 100
const SETTINGS_CHARACTERS_MAX = 200_000
export const WRITE_KEY_PATTERN = /^[A-Za-z0-9_\-.]{4,128}$/

export const sourceParams = z.object({ id: z.string().max(48) })

export const sourceNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(NAME_CHARACTERS_MAX)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')

export const settingsSchema = z
  .record(z.string(), z.json())
  .refine(
    settings => JSON.stringify(settings).length <= SETTINGS_CHARACTERS_MAX,
    `must not be longer than ${SETTINGS_CHARACTERS_MAX} characters`,
  )
  // PostgreSQL's jsonb cannot hold it.
  .refine(settings => !JSON.stringify(settings).includes('\\u0000'), 'must not hold the character U+0000')

export const sourceSchema = z
  .object({
    id: z.string().describe('Made from the name; fixed.'),
    name: z.string(),
    kind: z.enum(sourceKinds),
    writeKey: z.string().nullable().describe('Null for viewers: with it one can write.'),
    isEnabled: z.boolean(),
    settings: z
      .record(z.string(), z.json())
      .nullable()
      .describe(
        'Null for viewers. Of a webhook’s secrets only the ids are shown: `{ "id": 1 }`, sent back, keeps one.',
      ),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Source' })

/** The source as this role may see it. */
export function sourceOf(source: Source, role: WorkspaceRole): z.input<typeof sourceSchema> {
  const isFull = isAtLeast(role, 'editor')
  return {
    id: source.slug,
    name: source.name,
    kind: source.kind,
    writeKey: isFull ? source.writeKey : null,
    isEnabled: source.isEnabled,
    settings: isFull ? (shownSettings(source) as z.input<typeof settingsSchema>) : null,
    createdAt: source.createdAt.toISOString(),
  }
}

const shownSettings = ({ kind, settings }: Source): JsonObject =>
  kind === 'webhook' ? showWebhookSettings(settings) : settings

/** Which snippets make sense for a source: files and the program itself send through other doors. */
export function snippetIdsOf(kind: SourceKind): (id: Snippet['id']) => boolean {
  if (kind === 'webhook') return id => id === 'webhook'
  return id => kind === 'http' && id !== 'webhook'
}
