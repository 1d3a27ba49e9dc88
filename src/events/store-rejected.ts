/** SQL of the accounting and of rejected events. */
import type { Queryable } from '../store/postgres.ts'

export interface AccountingFilter {
  source?: string | undefined
  from?: Date | undefined
  to?: Date | undefined
}

export async function readAccounting(
  client: Queryable,
  workspaceId: number,
  filter: AccountingFilter,
): Promise<{ outcome: string; events: number }[]> {
  const result = await client.query<{ outcome: string; events: number }>(
    `
      select outcome, sum(events)::bigint as events from events.accounting
      where workspace_id = $1
        and ($2::text is null or source = $2)
        and ($3::timestamptz is null or minute >= $3)
        and ($4::timestamptz is null or minute < $4)
      group by outcome
      order by outcome`,
    [workspaceId, filter.source ?? null, filter.from ?? null, filter.to ?? null],
  )
  return result.rows
}

export const rejectionStates = ['open', 'resent', 'discarded'] as const
export type RejectionState = (typeof rejectionStates)[number]

export interface StoredRejection {
  id: number
  source: string
  receivedAt: Date
  reason: string
  detail: string
  payload: Buffer
  isCut: boolean
  state: RejectionState
  /** Null: the payload is one event; otherwise a delivery to a webhook, and what its mapping reads of the headers. */
  deliveryHeaders: Record<string, string> | null
}

const REJECTION_COLUMNS = `id, source, received_at as "receivedAt", reason, detail, payload, is_cut as "isCut", state,
  delivery_headers as "deliveryHeaders"`

export interface RejectionFilter {
  source?: string | undefined
  reason?: string | undefined
  state?: RejectionState | undefined
  before?: number | undefined
}

/** Newest first. */
export async function listRejections(
  client: Queryable,
  workspaceId: number,
  filter: RejectionFilter,
  limit: number,
): Promise<StoredRejection[]> {
  const result = await client.query<StoredRejection>(
    `
      select ${REJECTION_COLUMNS} from events.rejected
      where workspace_id = $1
        and ($2::text is null or source = $2)
        and ($3::text is null or reason = $3)
        and ($4::text is null or state = $4)
        and ($5::bigint is null or id < $5)
      order by id desc
      limit $6`,
    [workspaceId, filter.source ?? null, filter.reason ?? null, filter.state ?? null, filter.before ?? null, limit],
  )
  return result.rows
}

export async function findRejection(
  client: Queryable,
  workspaceId: number,
  id: number,
): Promise<StoredRejection | undefined> {
  const result = await client.query<StoredRejection>(
    `select ${REJECTION_COLUMNS} from events.rejected where workspace_id = $1 and id = $2`,
    [workspaceId, id],
  )
  return result.rows[0]
}

/** False when it was not open any more. */
export async function closeRejection(
  client: Queryable,
  workspaceId: number,
  id: number,
  state: 'resent' | 'discarded',
): Promise<boolean> {
  const result = await client.query(
    `update events.rejected set state = $3 where workspace_id = $1 and id = $2 and state = 'open'`,
    [workspaceId, id, state],
  )
  return result.rowCount === 1
}
