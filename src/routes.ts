/** Every route of the API, in one list: the router, the OpenAPI document and the client's types are made from it. */
import { backupRoutes } from './backup/index.ts'
import { eventRoutes } from './events/index.ts'
import { identityRoutes, rulesRoutes } from './identity/index.ts'
import { importRoutes } from './imports/index.ts'
import { profileRoutes, streamRoutes } from './profiles/index.ts'
import { sourceRoutes } from './sources/index.ts'
import { workspaceRoutes } from './workspaces/index.ts'

export const apiRoutes = [
  ...workspaceRoutes,
  ...sourceRoutes,
  ...eventRoutes,
  ...importRoutes,
  ...backupRoutes,
  ...profileRoutes,
  ...streamRoutes,
  ...identityRoutes,
  ...rulesRoutes,
] as const
export type ApiRoutes = typeof apiRoutes
