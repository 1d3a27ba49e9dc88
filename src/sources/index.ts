/** Sources: what others may use. */
import { sourceRoutes as ownRoutes } from './routes.ts'
import { webhookRoutes } from './webhook-routes.ts'

export { createSource, ensureSource } from './create.ts'
export { findByWriteKey, forgetSources } from './find.ts'
export type { Source, SourceKind } from './source.ts'
export { findOldestWriteKey as firstWriteKey, findSource, listSources } from './store.ts'
export {
  headersRead,
  readSignedDelivery,
  readWebhookDelivery,
  type WebhookOutcome,
  type WebhookReading,
} from './webhook/index.ts'
export { openWebhookSettings } from './webhook-settings.ts'
export const sourceRoutes = [...ownRoutes, ...webhookRoutes] as const
