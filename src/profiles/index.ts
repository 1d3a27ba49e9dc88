/** Profiles: what other rooms may use. */

export type { UnifiedEvent } from './deltas.ts'
export { profileJobs } from './jobs.ts'
export { emptyProjectedProfiles, projectProfiles } from './project.ts'
export { profileRoutes } from './routes.ts'
export { deleteSaid, emptyProfiles } from './store.ts'
export { streamRoutes } from './stream-routes.ts'
export { appendSaid, type UnifiedProfile, unify, unifyAgain } from './unify.ts'
