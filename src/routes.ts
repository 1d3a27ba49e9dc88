/** Every route of the API, in one list: the router, the OpenAPI document and the client's types are made from it. */
import { sourceRoutes } from './sources/index.ts'
import { workspaceRoutes } from './workspaces/index.ts'

export const apiRoutes = [...workspaceRoutes, ...sourceRoutes] as const
export type ApiRoutes = typeof apiRoutes
