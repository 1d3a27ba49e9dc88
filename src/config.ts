import { isAbsolute, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const roles = ['api', 'pipeline', 'jobs'] as const
export type Role = (typeof roles)[number]

/** What one process needs to know before it starts. Read from the environment and the command line here and nowhere else. */
export interface Config {
  host: string
  /** 0 lets the system choose (tests). */
  port: number
  dataDir: string
  /** Absent: PostgreSQL runs as a child process under `dataDir`. */
  databaseUrl?: string
  /** Absent: ClickHouse runs in this process (chDB) under `dataDir`. */
  clickhouseUrl?: string
  roles: ReadonlySet<Role>
  demo: boolean
  logLevel: LogLevel
  /** Seals what other systems' secrets are kept under; absent: a key of its own in `dataDir`. Processes of one database share it. */
  secretKey?: string
  /** Events older than so many whole months are dropped from analytics and archive; absent: everything is kept. */
  retentionMonths?: number
  /** Used once, when the default workspace is made. */
  first: { adminEmail?: string; adminPassword?: string; writeKey?: string; apiKey?: string }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

const KEY_PATTERN = /^[A-Za-z0-9_\-.]{4,128}$/
const PASSWORD_CHARACTERS_MIN = 8
const SECRET_KEY_CHARACTERS_MIN = 32
const PORT_MAX = 65_535

/**
 * Reads settings. Returns either a whole config or every fault at once, each a sentence that names the setting, so that
 * nobody mends one only to meet the next.
 */
export function readConfig(
  environment: Record<string, string | undefined>,
  args: string[],
): { config: Config } | { faults: string[] } {
  const faults: string[] = []
  const options = readArguments(args, faults)
  const text = (name: string) => environment[name]?.trim() || undefined
  const pattern = (name: string, shape: RegExp, must: string) => {
    const value = text(name)
    if (value !== undefined && !shape.test(value)) faults.push(`${name} ${must}.`)
    return value
  }

  const config: Config = {
    host: text('HOST') ?? '127.0.0.1',
    port: readPort(text('PORT'), faults),
    dataDir: absolute(text('THROUGHLINE_DATA_DIR') ?? 'data'),
    roles: readRoles(options.roles ?? text('THROUGHLINE_ROLES'), faults),
    demo: options.demo,
    logLevel: readLogLevel(text('LOG_LEVEL'), faults),
    first: {
      adminEmail: pattern('THROUGHLINE_ADMIN_EMAIL', /^[^\s@]+@[^\s@]+$/, 'must be an e-mail address'),
      adminPassword: readPassword(text('THROUGHLINE_ADMIN_PASSWORD'), faults),
      writeKey: pattern('THROUGHLINE_WRITE_KEY', KEY_PATTERN, 'must be 4 to 128 letters, digits, - _ or .'),
      apiKey: pattern('THROUGHLINE_API_KEY', KEY_PATTERN, 'must be 4 to 128 letters, digits, - _ or .'),
    },
  }
  const retentionMonths = readMonths(text('THROUGHLINE_RETENTION_MONTHS'), faults)
  if (retentionMonths !== undefined) config.retentionMonths = retentionMonths
  const databaseUrl = readUrl('DATABASE_URL', text('DATABASE_URL'), ['postgres:', 'postgresql:'], faults)
  const clickhouseUrl = readUrl('CLICKHOUSE_URL', text('CLICKHOUSE_URL'), ['http:', 'https:'], faults)
  const secretKey = readSecretKey(text('THROUGHLINE_SECRET_KEY'), faults)
  if (databaseUrl) config.databaseUrl = databaseUrl
  if (clickhouseUrl) config.clickhouseUrl = clickhouseUrl
  if (secretKey) config.secretKey = secretKey
  if (config.roles.size < roles.length && !(databaseUrl && clickhouseUrl)) {
    faults.push(
      '--roles with fewer than all roles needs DATABASE_URL and CLICKHOUSE_URL: processes share nothing else.',
    )
  }
  return faults.length > 0 ? { faults } : { config }
}

function readArguments(args: string[], faults: string[]): { roles?: string; demo: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: { roles: { type: 'string' }, demo: { type: 'boolean', default: false } },
    })
    return { ...(values.roles === undefined ? {} : { roles: values.roles }), demo: values.demo }
  } catch (error) {
    faults.push(`${(error as Error).message.split('\n')[0]} Known: --roles=api,pipeline,jobs, --demo.`)
    return { demo: false }
  }
}

function readPort(value: string | undefined, faults: string[]): number {
  const port = Number(value ?? 7070)
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX)
    faults.push(`PORT must be a whole number up to ${PORT_MAX}.`)
  return port
}

function readMonths(value: string | undefined, faults: string[]): number | undefined {
  if (value === undefined) return undefined
  const months = Number(value)
  if (!Number.isInteger(months) || months < 1)
    faults.push('THROUGHLINE_RETENTION_MONTHS must be a whole number from 1 on.')
  return months
}

function readRoles(value: string | undefined, faults: string[]): ReadonlySet<Role> {
  if (value === undefined) return new Set(roles)
  const named = value.split(',').map(role => role.trim())
  const unknown = named.filter(role => !(roles as readonly string[]).includes(role))
  if (unknown.length > 0) faults.push(`--roles knows ${roles.join(', ')}; not: ${unknown.join(', ') || '(nothing)'}.`)
  return new Set(named as Role[])
}

function readLogLevel(value: string | undefined, faults: string[]): LogLevel {
  const level = (value ?? 'info') as LogLevel
  if (!logLevels.includes(level)) faults.push(`LOG_LEVEL must be one of ${logLevels.join(', ')}.`)
  return level
}

function readPassword(value: string | undefined, faults: string[]): string | undefined {
  if (value !== undefined && value.length < PASSWORD_CHARACTERS_MIN)
    faults.push(`THROUGHLINE_ADMIN_PASSWORD must have at least ${PASSWORD_CHARACTERS_MIN} characters.`)
  return value
}

function readSecretKey(value: string | undefined, faults: string[]): string | undefined {
  if (value !== undefined && value.length < SECRET_KEY_CHARACTERS_MIN)
    faults.push(`THROUGHLINE_SECRET_KEY must have at least ${SECRET_KEY_CHARACTERS_MIN} characters, all random.`)
  return value
}

function readUrl(name: string, value: string | undefined, protocols: string[], faults: string[]): string | undefined {
  if (value === undefined) return undefined
  if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
    faults.push(`${name} must be a URL that begins with ${protocols.map(protocol => `${protocol}//`).join(' or ')}.`)
  }
  return value
}

const absolute = (path: string) => (isAbsolute(path) ? path : resolve(path))
