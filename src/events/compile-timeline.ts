/** A person's identifiers and a filter come in; the ClickHouse query of their timeline goes out. Pure. */

/** Whose events: all of some identifiers, and of shared devices those of the times when they were this person's. */
export interface TimelineOwner {
  workspaceId: number
  nodes: number[]
  shared: { node: number; from: number; to: number }[]
  /** A company's: every event that was made for it, whoever made it. */
  groupId?: string
}

export interface TimelineFilter {
  event?: string | undefined
  type?: string | undefined
  source?: string | undefined
  /** Epoch ms; from is inside, to is not. */
  from?: number | undefined
  to?: number | undefined
  /** The page begins after this event. */
  after?: { at: number; messageId: string } | undefined
  limit: number
}

export interface CompiledQuery {
  sql: string
  params: Record<string, unknown>
}

/** Intervals that one query asks for; a device shared more often than that is cut to its latest. */
const INTERVALS_MAX = 500

/** Newest first. */
export function compileTimeline(owner: TimelineOwner, filter: TimelineFilter): CompiledQuery {
  const { where, params } = compileOwner(owner)
  const conditions = [where]
  const add = (condition: string, name: string, value: unknown) => {
    if (value === undefined) return
    conditions.push(condition)
    params[name] = value
  }
  add('event = {event:String}', 'event', filter.event)
  add('type = {type:String}', 'type', filter.type)
  add('source = {source:String}', 'source', filter.source)
  add('timestamp >= fromUnixTimestamp64Milli({from:Int64})', 'from', filter.from)
  add('timestamp < fromUnixTimestamp64Milli({to:Int64})', 'to', filter.to)
  if (filter.after) {
    conditions.push('timestamp <= fromUnixTimestamp64Milli({after:Int64})')
    conditions.push('(timestamp, message_id) < (fromUnixTimestamp64Milli({after:Int64}), {afterId:String})')
    params.after = filter.after.at
    params.afterId = filter.after.messageId
  }
  params.limit = filter.limit
  return {
    sql: `
      select message_id, toUnixTimestamp64Milli(timestamp) as at, body
      from events
      where ${conditions.join('\n        and ')}
      order by timestamp desc, message_id desc
      limit {limit:UInt32}`,
    params,
  }
}

/** How many events a person has on shared devices, and their first and last time (ms). */
export function compileSharedCount(owner: TimelineOwner): CompiledQuery {
  const { where, params } = compileOwner({ ...owner, nodes: [] })
  return {
    sql: `
      select count() as events, toUnixTimestamp64Milli(min(timestamp)) as first_at, toUnixTimestamp64Milli(max(timestamp)) as last_at
      from events
      where ${where}`,
    params,
  }
}

/** Every event that carried a device, each of which hangs on it or on one of the partners. */
export function compileHistory(workspaceId: number, device: number, partners: number[]): CompiledQuery {
  return {
    sql: `
      select message_id as messageId, toUnixTimestamp64Milli(timestamp) as at, type, source, node as hub, nodes
      from events
      where workspace_id = {workspace:UInt32}
        and node in {hubs:Array(UInt64)}
        and (node = {device:UInt64} or has(nodes, {device:UInt64}))`,
    params: { workspace: workspaceId, device, hubs: [device, ...partners] },
  }
}

function compileOwner(owner: TimelineOwner): { where: string; params: Record<string, unknown> } {
  const params: Record<string, unknown> = { workspace: owner.workspaceId, nodes: owner.nodes }
  if (owner.groupId !== undefined) {
    params.groupId = owner.groupId
    return { where: 'workspace_id = {workspace:UInt32} and group_id = {groupId:String}', params }
  }
  const parts = ['node in {nodes:Array(UInt64)}']
  for (const [index, { node, from, to }] of owner.shared.slice(-INTERVALS_MAX).entries()) {
    params[`node${index}`] = node
    params[`from${index}`] = clampToTable(from)
    params[`to${index}`] = clampToTable(to)
    parts.push(
      `(node = {node${index}:UInt64} and timestamp >= fromUnixTimestamp64Milli({from${index}:Int64})` +
        ` and timestamp < fromUnixTimestamp64Milli({to${index}:Int64}))`,
    )
  }
  return { where: `workspace_id = {workspace:UInt32} and (${parts.join(' or ')})`, params }
}

const DATETIME64_MIN_MS = Date.UTC(1900, 0, 1)
const DATETIME64_MAX_MS = Date.UTC(2299, 0, 1)
const clampToTable = (ms: number) => Math.min(Math.max(ms, DATETIME64_MIN_MS), DATETIME64_MAX_MS)
