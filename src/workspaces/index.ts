/** Workspaces, who belongs to them, and who gets in: what others may use. */
import { accessRoutes } from './access/routes.ts'
import { membershipRoutes } from './routes.ts'

export { authenticator } from './access/authenticate.ts'
export { type FirstStart, firstStart } from './first-start.ts'
export { createWorkspace } from './manage.ts'
export { DEFAULT_WORKSPACE } from './shape.ts'
export { findIdentityKey, findWorkspaceBySlug, listMembers, type WorkspaceRow } from './store.ts'
export const workspaceRoutes = [...accessRoutes, ...membershipRoutes] as const
