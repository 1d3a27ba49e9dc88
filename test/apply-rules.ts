/** Changes of a workspace's rules of identity, as its admin makes them. */
import { expect } from 'vitest'
import { defaultIdentityRules, type IdentityRules, type NamespaceRule } from '../src/spec/identifier.ts'
import type { Workspace } from './workspace.ts'

export const ROOT = '/api/v1/identity-rules'

export interface RulesApplication {
  id: string
  state: string
  version: number | null
  changedProfiles: number | null
  finishedAt: string | null
  failure: { code: string; message: string } | null
}

/** The default rules but for one namespace. */
export function withNamespace(name: string, change: Partial<NamespaceRule>): IdentityRules {
  const known = defaultIdentityRules.namespaces[name]
  const namespaces = { ...defaultIdentityRules.namespaces, [name]: { ...known, ...change } as NamespaceRule }
  return { ...defaultIdentityRules, namespaces }
}

export async function finished(workspace: Workspace, id: string): Promise<RulesApplication> {
  const read = () => workspace.get<RulesApplication>(`${ROOT}/applications/${id}`)
  await expect.poll(() => read().then(one => one.finishedAt), { timeout: 60_000 }).not.toBeNull()
  return read()
}

export async function request(workspace: Workspace, rules: IdentityRules): Promise<string> {
  const { status, body } = await workspace.request('PUT', ROOT, rules)
  expect(status).toBe(202)
  return (body as RulesApplication).id
}

export const apply = async (workspace: Workspace, rules: IdentityRules): Promise<RulesApplication> =>
  finished(workspace, await request(workspace, rules))
