/** The routes that describe the server itself: is it up, can it work, how much, and what may be asked. */
import type { Registry } from 'prom-client'
import { z } from 'zod'
import { answer, content, route } from './route.ts'

const CHECK_TIMEOUT_MS = 2_000

const readySchema = z.object({
  isReady: z.boolean(),
  checks: z.record(z.string(), z.enum(['ok', 'failed'])),
})

export interface SystemOptions {
  readiness: Record<string, () => Promise<unknown> | unknown>
  registry: Registry
  document(): string
}

export function systemRoutes({ readiness, registry, document }: SystemOptions) {
  return [
    route({
      method: 'GET',
      path: '/health',
      summary: 'Is the process up?',
      tag: 'system',
      access: 'public',
      responses: { 200: z.object({ status: z.literal('up') }) },
      errors: [],
      handle: async () => ({ status: 'up' as const }),
    }),
    route({
      method: 'GET',
      path: '/ready',
      summary: 'Can every role of this process do its work?',
      tag: 'system',
      access: 'public',
      responses: { 200: readySchema, 503: readySchema },
      errors: [],
      handle: async () => {
        const checks = await runChecks(readiness)
        const isReady = Object.values(checks).every(state => state === 'ok')
        return answer(isReady ? 200 : 503, { isReady, checks })
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      summary: 'Counts and durations for Prometheus',
      tag: 'system',
      access: 'public',
      responses: { 200: content('text/plain; version=0.0.4; charset=utf-8') },
      errors: [],
      handle: () => registry.metrics(),
    }),
    route({
      method: 'GET',
      path: '/api/openapi.json',
      summary: 'This document',
      tag: 'system',
      access: 'public',
      responses: { 200: content('application/json; charset=utf-8') },
      errors: [],
      handle: async () => document(),
    }),
  ] as const
}

async function runChecks(readiness: SystemOptions['readiness']): Promise<Record<string, 'ok' | 'failed'>> {
  const states = Object.entries(readiness).map(
    async ([name, check]) => [name, (await passes(check)) ? 'ok' : 'failed'] as const,
  )
  return Object.fromEntries(await Promise.all(states))
}

/** A check that does not answer in time has failed. */
async function passes(check: () => Promise<unknown> | unknown): Promise<boolean> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
  try {
    await Promise.race([
      check(),
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    ])
    return true
  } catch {
    return false
  }
}
