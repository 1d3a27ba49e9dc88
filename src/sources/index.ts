/** Sources: what others may use. */
export { createSource } from './create.ts'
export { findByWriteKey, forgetSources } from './find.ts'
export { sourceRoutes } from './routes.ts'
export type { Source, SourceKind } from './source.ts'
export { findOldestWriteKey as firstWriteKey } from './store.ts'
