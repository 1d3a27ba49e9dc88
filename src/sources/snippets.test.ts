import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { snippets } from './snippets.ts'

const guide = readFileSync(new URL('../../docs/guides/sources.md', import.meta.url), 'utf8')

describe('snippets', () => {
  test('are in the guide as they are offered', () => {
    for (const { title, language, code } of snippets({ origin: 'http://127.0.0.1:7070', writeKey: 'YOUR_WRITE_KEY' })) {
      expect(guide).toContain(`## ${title}\n\n\`\`\`${language}\n${code}\`\`\`\n`)
    }
  })

  test('name the place on http and https alike, without a path', () => {
    const all = snippets({ origin: 'https://events.example.com/path?q', writeKey: 'wk_1' })
    expect(new Set(all.map(({ id }) => id)).size).toBe(9)
    for (const { code } of all) {
      expect(code).toContain('events.example.com')
      expect(code).not.toMatch(/\/path|undefined|127\.0\.0\.1/)
    }
    expect(all[0]?.code).toContain("apiHost: 'events.example.com/v1', protocol: 'https'")
  })
})
