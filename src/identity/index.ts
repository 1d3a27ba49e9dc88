/** What others may use of identity: who an event belongs to, who is who now, and why. */
export { decideMerge, decideSplit, decideUndo, type UndoFault } from './decide.ts'
export type { Decision, Head, PlanFault } from './decision.ts'
export type { NodeId } from './evidence.ts'
export type { ExplainedLink, ExplainedRefusal, ExplainedRule } from './explain.ts'
export { explainProfile, type ProfileExplanation } from './explain-profile.ts'
export { findProfile, forgetWorkspaces } from './find.ts'
export { inputOf } from './input.ts'
export { personOf } from './person-of.ts'
export { profileIdOf } from './profile-id.ts'
export { emptyMap, insertMap, type MapChange, projectMap, settleMap } from './project.ts'
export { type ProfileChange, touchedBy } from './publish.ts'
export { changedReadings, isReadAlike } from './reading.ts'
export {
  findNumbers,
  type RebuildOptions,
  type Rebuilt,
  rebuildIdentity,
  resolveAgain,
  TooManyIdentifiers,
  writeRebuilt,
} from './rebuild.ts'
export { type Identity, type IdentityOptions, openIdentity, type Resolved } from './resolve.ts'
export type { IdentityEvent, IdentityInput, ResolvedEvent } from './resolve-batch.ts'
export { identityRoutes } from './routes.ts'
export { rulesRoutes } from './rules-routes.ts'
export type { HistoryEvent } from './step.ts'
export { emptyIdentity } from './store.ts'
export {
  type ApplicationFailure,
  beginApplication,
  endApplication,
  failApplication,
  findUnfinishedApplication,
  postponeApplication,
  projectApplication,
  type UnfinishedApplication,
  updateProgress,
} from './store-applications.ts'
export { type Member, membersOf, profilesOfNodes, readMap } from './store-members.ts'
export { type RulesVersion, readRules, writeRules } from './store-rules.ts'
export { profilesOfEvents } from './whose.ts'
