/** Profiles: what other rooms may use. */
export { profileJobs } from './jobs.ts'
export { projectProfiles } from './project.ts'
export { type UnifiedProfile, unify, unifyAgain } from './unify.ts'
