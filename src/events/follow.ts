/**
 * What arrives in a workspace, as it is processed, for whoever is looking. In: a workspace. Out: ticks, four a second, with
 * the events and rejections that are new. All who look at a workspace in one process share one reader of PostgreSQL, so that
 * api and pipeline may be different processes.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../context.ts'
import { Problem } from '../errors.ts'
import { type Event, isEvent, type LogEntry } from '../spec/event.ts'
import { isTransient, type Postgres } from '../store/postgres.ts'
import { decodeGroup } from './log-group.ts'
import {
  type FollowedRejection,
  lastRejection,
  readBlocksAfter,
  readGroupsOf,
  readRejectionsAfter,
} from './store-follow.ts'
import { lastBlock } from './store-pipeline.ts'

const POLL_MS = 250
/** A look at what arrives, not a feed of all of it: what is beyond is counted. */
const EVENTS_PER_TICK_MAX = 2_000
const REJECTIONS_PER_TICK_MAX = 200
const BLOCKS_PER_TICK_MAX = 1_000
/** For whoever is slow; who is slower still, is told how many passed by. */
const TICKS_KEPT = 4
/** So long a rejection of a lower id may appear after one of a higher id: their commits take milliseconds. */
const LATE_TICKS = 8
const FOLLOWERS_MAX = 500
const RETRY_AFTER_SECONDS = 10

export interface Tick {
  events: Event[]
  rejections: FollowedRejection[]
  /** How many there were that this follower cannot see: too many at once, or passed by while it was slow. */
  missed: number
}

export interface Following {
  /** The next tick that this follower has not had and that is still kept; undefined after `close`. */
  next(): Promise<Tick | undefined>
  close(): void
}

const feedsOf = new WeakMap<Postgres, Map<number, Feed>>()

/** From now on. Throws `overloaded` when too many are looking. To be closed by whoever called it. */
export async function follow(context: Pick<Context, 'postgres' | 'log'>, workspaceId: number): Promise<Following> {
  const feeds = feedsOf.get(context.postgres) ?? new Map<number, Feed>()
  feedsOf.set(context.postgres, feeds)
  const followers = [...feeds.values()].reduce((sum, feed) => sum + feed.followers, 0)
  if (followers >= FOLLOWERS_MAX) {
    throw new Problem('overloaded', 'Too many are looking at what arrives.', { retryAfterSeconds: RETRY_AFTER_SECONDS })
  }
  const feed = feeds.get(workspaceId) ?? openFeed(context, workspaceId)
  feeds.set(workspaceId, feed)
  feed.followers += 1
  let isClosed = false
  const close = () => {
    if (isClosed) return
    isClosed = true
    feed.followers -= 1
    if (feed.followers > 0) return
    feed.close()
    if (feeds.get(workspaceId) === feed) feeds.delete(workspaceId)
  }
  try {
    let place = await feed.started()
    return {
      close,
      async next() {
        const found = isClosed ? undefined : await feed.after(place.number)
        if (!found || isClosed) return undefined
        const { events, rejections, unread } = found
        const missed = found.before - place.before + unread
        place = { number: found.number, before: found.before + events.length + rejections.length + unread }
        return { events, rejections, missed }
      },
    }
  } catch (error) {
    close()
    throw error
  }
}

/** A place in the sequence of ticks, and how many messages come before it. */
interface Place {
  number: number
  before: number
}
type Seen = Omit<Tick, 'missed'> & { unread: number }

interface Feed {
  followers: number
  /** Where it stands, once the first look was taken. */
  started(): Promise<Place>
  after(number: number): Promise<(Place & Seen) | undefined>
  close(): void
}

function openFeed(context: Pick<Context, 'postgres' | 'log'>, workspaceId: number): Feed {
  const ticks: (Place & Seen)[] = []
  let number = 0
  let messages = 0
  let isClosed = false
  let turn = Promise.withResolvers<void>()
  const look = openLook(context.postgres, workspaceId)
  const start = look.start()
  start.then(run, () => {})

  const nextTurn = () => {
    turn.resolve()
    turn = Promise.withResolvers()
  }
  async function run() {
    let hasFailed = false
    for (;;) {
      await pause(POLL_MS)
      if (isClosed) return
      const seen = await look.next().catch((error: { name?: string; code?: string }) => {
        if (!hasFailed && !isTransient(error)) {
          context.log.error({ workspaceId, error: error.name, code: error.code }, 'what arrives cannot be followed')
        }
        hasFailed = true
        return nothing
      })
      number += 1
      ticks.push({ number, before: messages, ...seen })
      if (ticks.length > TICKS_KEPT) ticks.shift()
      messages += seen.events.length + seen.rejections.length + seen.unread
      nextTurn()
    }
  }
  return {
    followers: 0,
    async started() {
      await start
      return { number, before: messages }
    },
    async after(seen) {
      for (;;) {
        const tick = ticks.find(one => one.number > seen)
        if (tick || isClosed) return tick
        await turn.promise
      }
    },
    close() {
      isClosed = true
      nextTurn()
    },
  }
}

const nothing: Seen = { events: [], rejections: [], unread: 0 }

/** Remembers how far it has looked; moves on only when all of a look succeeded. */
function openLook(postgres: Postgres, workspaceId: number) {
  let block = 0
  /** Ids above `settled` that were shown, by the look that showed them. */
  let shown: { id: number; look: number }[] = []
  let settled = 0
  let looks = 0

  async function newEvents() {
    const blocks = await readBlocksAfter(postgres, block, BLOCKS_PER_TICK_MAX)
    const last = blocks.at(-1)
    if (!last) return { events: [], unread: 0, last: block }
    const groups = await readGroupsOf(postgres, workspaceId, blocks, EVENTS_PER_TICK_MAX)
    const excluded = new Set(blocks.flatMap(one => one.excluded))
    const read = await Promise.all(groups.flatMap(({ body }) => (body ? [eventsIn(body, excluded)] : [])))
    const unread = groups.reduce((sum, group) => (group.body ? sum : sum + group.events), 0)
    return { events: read.flat(), unread, last: last.block }
  }

  function settle(rejections: FollowedRejection[], total: number) {
    looks += 1
    shown.push(...rejections.map(({ id }) => ({ id, look: looks })))
    // In a flood only the newest are shown: those before them are passed over for good.
    const [oldest] = rejections
    if (oldest && total > rejections.length) settled = Math.max(settled, oldest.id - 1)
    for (const { id, look } of shown) if (look <= looks - LATE_TICKS) settled = Math.max(settled, id)
    shown = shown.filter(({ id }) => id > settled)
  }

  return {
    async start() {
      block = await lastBlock(postgres)
      settled = await lastRejection(postgres, workspaceId)
    },
    async next(): Promise<Seen> {
      const { events, unread, last } = await newEvents()
      const seen = shown.map(({ id }) => id)
      const page = { after: settled, seen, limit: REJECTIONS_PER_TICK_MAX }
      const { rejections, total } = await readRejectionsAfter(postgres, workspaceId, page)
      block = last
      settle(rejections, total)
      return { events, rejections, unread: unread + total - rejections.length }
    },
  }
}

async function eventsIn(body: Buffer, excluded: ReadonlySet<string>): Promise<Event[]> {
  const entries = (await decodeGroup(body)).map(line => JSON.parse(line) as LogEntry)
  return entries.filter(isEvent).filter(event => !excluded.has(event.messageId))
}
