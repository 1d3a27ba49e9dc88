/**
 * What must be kept of a delivery beside its body, so that it can be read again: a source's settings and the request's
 * headers come in, those that the mapping reads go out. No others: they may hold secrets.
 */
import { parsePath } from './path.ts'
import { mappingOf, signatureOf, type WebhookSettings } from './settings.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Credentials, whatever a mapping asks for. */
const secretHeaders: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-write-key'])

/** By name in lower case. The content type is among them: it tells form fields from JSON. */
export function headersRead(settings: WebhookSettings, headers: Headers): Record<string, string> {
  const names = namesIn(mappingOf(settings)).add('content-type')
  const signature = signatureOf(settings)
  if (signature.scheme === 'token') names.delete(signature.name.toLowerCase())
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const key = name.toLowerCase()
      if (value === undefined || !names.has(key) || secretHeaders.has(key)) return []
      return [[key, Array.isArray(value) ? value.join(', ') : value]]
    }),
  )
}

/** Every text of the mapping that is a path to a header: a constant that looks like one costs nothing. */
function namesIn(part: unknown): Set<string> {
  if (typeof part === 'string') return new Set(nameIn(part))
  if (typeof part !== 'object' || part === null) return new Set()
  return new Set(Object.values(part).flatMap(inner => [...namesIn(inner)]))
}

function nameIn(text: string): string[] {
  const parsed = text.startsWith('headers') ? parsePath(text) : undefined
  const [name] = parsed?.ok ? parsed.path.steps : []
  return typeof name === 'string' ? [name] : []
}
