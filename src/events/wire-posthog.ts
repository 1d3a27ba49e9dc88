/** PostHog's capture API. In: parsed bodies of `/batch/`, `/capture/`, `/e/` and its newer path. Out: calls in Segment's words, and answers. Pure. */
import { isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import type { Call, Delivery, Fault } from './delivery.ts'
import { parseJson } from './json-text.ts'
import { whoIs } from './posthog-identity.ts'

/** What is known from outside the body. */
export interface PosthogRequest {
  /** Epoch milliseconds; old browsers say how long ago something happened, not when. */
  receivedAt: number
  /** `PostHog-Sdk-Info: posthog-node/5.70.0`, where the events no longer say it. */
  sdk?: string | undefined
  /** `PostHog-Request-Timestamp`, where the body has no `sent_at`. */
  sentAt?: string | undefined
}

/** `{batch: […]}`, a list, or one event. */
export function readPosthog(body: Json, request: PosthogRequest): Delivery | Fault {
  if (isJsonObject(body) && body.batch !== undefined && !Array.isArray(body.batch)) {
    return { reason: 'invalid_field', detail: 'batch must be a list of events.' }
  }
  const envelope = isJsonObject(body) ? body : {}
  const items = Array.isArray(body) ? body : Array.isArray(envelope.batch) ? envelope.batch : undefined
  const sentAt = envelope.sent_at ?? request.sentAt
  return {
    calls: (items ?? [body]).map(item => translate(item as Json, request)),
    isBatch: items !== undefined,
    ...(sentAt === undefined ? {} : { sentAt }),
  }
}

/** JSON, or what old browsers send: a form whose `data` is JSON or base64 of it. Undefined where it is neither. */
export function readPosthogText(bytes: Buffer): Json | undefined {
  try {
    return parseJson(formData(bytes) ?? bytes)
  } catch {
    return undefined
  }
}

function formData(bytes: Buffer): string | Buffer | undefined {
  if (bytes.toString('latin1', 0, FORM_START.length) !== FORM_START) return undefined
  const data = new URLSearchParams(bytes.toString('utf8')).get('data') ?? ''
  return /^\s*[{[]/.test(data) ? data : Buffer.from(data.replaceAll(' ', '+'), 'base64')
}
const FORM_START = 'data='

/** Says what became of each event by its uuid, as `/i/v1/analytics/events` wants it. */
export function posthogResults(calls: Call[], refused: ReadonlyMap<number, string>): Json {
  const results = calls.flatMap(({ value }, index) => {
    const uuid = isJsonObject(value) ? value.messageId : undefined
    if (typeof uuid !== 'string') return []
    const details = refused.get(index)
    return [[uuid, details === undefined ? { result: 'ok' } : { result: 'drop', details }] as const]
  })
  return { results: Object.fromEntries(results) }
}

/** No flags are kept here: clients then use their own defaults. */
export const emptyFlags: Json = {
  flags: {},
  featureFlags: {},
  featureFlagPayloads: {},
  errorsWhileComputingFlags: false,
  sessionRecording: false,
  supportedCompression: ['gzip', 'gzip-js'],
  config: { enable_collect_everything: false },
}

/** Which call an event of PostHog's own naming is; every other is a `track` under its name. */
const kinds: Readonly<Record<string, (call: JsonObject, properties: JsonObject) => void>> = {
  $identify: asIdentify,
  $set: asIdentify,
  $create_alias: asAlias,
  $merge_dangerously: asAlias,
  $groupidentify: asGroup,
  $pageview: asPage,
  $screen: asScreen,
}

function translate(item: Json, request: PosthogRequest): Call {
  if (!isJsonObject(item)) return { value: item }
  const properties = isJsonObject(item.properties) ? item.properties : {}
  const options = isJsonObject(item.options) ? item.options : {}
  const who = whoIs(item, properties, options)
  const { token: _, $set, $set_once, ...kept } = properties
  const call: JsonObject = {
    ...(who.userId === undefined ? {} : { userId: who.userId }),
    ...(who.anonymousId === undefined ? {} : { anonymousId: who.anonymousId }),
    ...timesOf(item, request),
    properties: kept,
    context: contextOf(properties, request),
  }
  const messageId = item.uuid ?? properties.$insert_id
  if (messageId !== undefined) call.messageId = messageId
  putGroup(call, properties.$groups)
  putPersonProperties(call, item.$set ?? $set, item.$set_once ?? $set_once)
  const name = item.event
  const as = typeof name === 'string' && Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (as) as(call, properties)
  else {
    call.type = 'track'
    if (name !== undefined) call.event = name
  }
  return {
    value: call,
    ...(who.isNobodys ? { mayBeNobodys: true } : {}),
    ...(isClockTrusted(item, properties, options) ? { isClockTrusted: true } : {}),
  }
}

/** `offset` is how many milliseconds ago it happened, by the client's own stop-watch: exact, whatever its clock says. */
function timesOf(item: JsonObject, request: PosthogRequest): JsonObject {
  const { timestamp, offset } = item
  if (typeof offset === 'number' && hasOffset(item) && offset <= request.receivedAt) {
    const at = new Date(request.receivedAt - offset).toISOString()
    return { timestamp: at, originalTimestamp: timestamp ?? at }
  }
  return timestamp === undefined ? {} : { timestamp }
}

const hasOffset = (item: JsonObject) => typeof item.offset === 'number' && item.offset >= 0

const isClockTrusted = (item: JsonObject, properties: JsonObject, options: JsonObject) =>
  hasOffset(item) || properties.$ignore_sent_at === true || options.disable_skew_correction === true

/**
 * `$set` on any event says what is now true of the person: the event's `traits` (`context.traits` would be what a client
 * repeats, which asserts nothing). `$set_once` shall not overrule what is known: its keys are named in `context.traitsOnce`.
 */
function putPersonProperties(call: JsonObject, set: Json | undefined, once: Json | undefined): void {
  const always = isJsonObject(set) ? set : {}
  const first = isJsonObject(once) ? Object.keys(once).filter(key => !Object.hasOwn(always, key)) : []
  const traits = isJsonObject(once) ? { ...once, ...always } : always
  if (Object.keys(traits).length === 0) return
  call.traits = traits
  if (first.length > 0) (call.context as JsonObject).traitsOnce = first
}

function asIdentify(call: JsonObject): void {
  call.type = 'identify'
  call.traits ??= {}
}

function asAlias(call: JsonObject, properties: JsonObject): void {
  call.type = 'alias'
  if (properties.alias !== undefined) call.previousId = properties.alias
}

function asGroup(call: JsonObject, properties: JsonObject): void {
  call.type = 'group'
  const { $group_type: type, $group_key: key, $group_set: set } = properties
  const groupId = groupIdOf(type, key)
  if (groupId !== undefined) call.groupId = groupId
  if (isJsonObject(set)) call.traits = set
}

function asPage(call: JsonObject, properties: JsonObject): void {
  call.type = 'page'
  const title = properties.title ?? properties.$title
  if (typeof title === 'string') call.name = title
  const page = (call.context as JsonObject).page
  if (isJsonObject(page)) call.properties = { ...page, ...(call.properties as JsonObject) }
}

function asScreen(call: JsonObject, properties: JsonObject): void {
  call.type = 'screen'
  if (properties.$screen_name !== undefined) call.name = properties.$screen_name
}

/**
 * PostHog has several kinds of groups, we have one: a company keeps its bare key, another kind stands before its key,
 * so that project 7 is not company 7.
 */
function groupIdOf(type: Json | undefined, key: Json | undefined): Json | undefined {
  if (typeof key !== 'string' && typeof key !== 'number') return key
  if (key === '' || typeof type !== 'string' || type === '' || type === COMPANY) return key
  return `${type}:${key}`
}
const COMPANY = 'company'

function putGroup(call: JsonObject, groups: Json | undefined): void {
  if (!isJsonObject(groups)) return
  const type = Object.hasOwn(groups, COMPANY) ? COMPANY : Object.keys(groups)[0]
  if (type === undefined) return
  const groupId = groupIdOf(type, groups[type])
  if (typeof groupId === 'string' || typeof groupId === 'number') call.groupId = groupId
}

const campaignFields = {
  source: 'utm_source',
  medium: 'utm_medium',
  name: 'utm_campaign',
  term: 'utm_term',
  content: 'utm_content',
}
const pageFields = { url: '$current_url', path: '$pathname', referrer: '$referrer', title: 'title' }

/** Well-known properties under the names that the Segment spec gives them; all of them stay in `properties` as well. */
function contextOf(properties: JsonObject, request: PosthogRequest): JsonObject {
  const [sdkName, sdkVersion] = request.sdk?.split('/') ?? []
  const context: JsonObject = {}
  const library = texts({ name: properties.$lib ?? sdkName, version: properties.$lib_version ?? sdkVersion })
  const page = texts(pick(properties, pageFields))
  const campaign = texts(pick(properties, campaignFields))
  if (library) context.library = library
  if (page) context.page = page
  if (campaign) context.campaign = campaign
  Object.assign(
    context,
    texts({
      ip: properties.$ip,
      userAgent: properties.$raw_user_agent,
      locale: properties.$browser_language,
      timezone: properties.$timezone,
    }),
  )
  return context
}

const pick = (from: JsonObject, names: Record<string, string>): JsonObject =>
  Object.fromEntries(Object.entries(names).map(([name, key]) => [name, from[key]]))

/** Only what is a text; undefined when nothing is. */
function texts(from: JsonObject): JsonObject | undefined {
  const entries = Object.entries(from).filter(([, value]) => typeof value === 'string' && value !== '')
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}
