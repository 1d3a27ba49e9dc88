/** Setting up a webhook source over the API: settings with secrets, presets, the dry run, and code to paste. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { webhookPresets } from '../../src/sources/webhook/index.ts'
import type { JsonObject } from '../../src/spec/json.ts'
import { dumpDatabase, type Served, serve, WRITE_KEY } from '../serve.ts'

let served: Served
beforeAll(async () => {
  served = await serve()
})
afterAll(() => served.close())

const make = (name: string, settings: JsonObject) =>
  served.client.request('POST /api/v1/sources', { body: { name, kind: 'webhook', settings: settings as never } })
const change = (id: string, settings: JsonObject) =>
  served.client.request('PATCH /api/v1/sources/{id}', { params: { id }, body: { settings: settings as never } })

const mapping = {
  rules: [{ name: 'visit', event: { type: 'track', event: 'Visit', userId: { path: '$.user' } } }],
}

describe('the settings of a webhook', () => {
  it.each([
    ['neither preset nor mapping', {}, 'settings', 'either a preset or a mapping'],
    ['both', { preset: 'stripe', mapping, secrets: ['s'] }, 'settings', 'either a preset or a mapping'],
    ['a preset that is none', { preset: 'strype' }, 'settings.preset', 'stripe'],
    ['a misspelt setting', { mapping, secret: ['s'] }, 'settings', '"secret" is not known'],
    ['a signature without a secret', { preset: 'stripe' }, 'settings.secrets', 'needs a secret'],
    [
      'a rule with a fault deep inside',
      { mapping: { rules: [...mapping.rules, { name: 'b', event: { type: 'track', userId: { path: 'user' } } }] } },
      'settings.mapping.rules.1.event.userId.path',
      'must begin with $',
    ],
    [
      'a secret of an id that it has not',
      { mapping, secrets: [{ id: 1 }] },
      'settings.secrets.0',
      'no secret of this id',
    ],
  ])('are refused with %s, naming the field', async (_, settings, path, words) => {
    await expect(make('Faulty', settings as unknown as JsonObject)).rejects.toMatchObject({
      code: 'invalid_request',
      faults: expect.arrayContaining([{ path, message: expect.stringContaining(words) }]),
    })
  })

  it('are not asked of a source of another kind', async () => {
    const body = { name: 'Plain', settings: { preset: 'of our own', secrets: 'none' } }
    expect((await served.client.request('POST /api/v1/sources', { body })).settings).toEqual(body.settings)
  })
})

describe('a secret', () => {
  const [first, second, token] = ['first-secret-of-northwind', 'second-secret-of-northwind', 'token-of-northwind']

  it('is written and never shown, neither by the API nor by the database nor in the log', async () => {
    const made = await make('Secretive', { preset: 'meta', secrets: [first], verifyToken: token })
    expect(made.settings).toEqual({ preset: 'meta', secrets: [{ id: 1 }], verifyToken: { id: 2 } })
    const params = { id: made.id }
    const answers = [
      made,
      await served.client.request('GET /api/v1/sources/{id}', { params }),
      await served.client.request('GET /api/v1/sources'),
      await change(made.id, { preset: 'meta', secrets: [second, { id: 1 }], verifyToken: { id: 2 } }),
    ]
    const seen = JSON.stringify([answers, served.logged, await dumpDatabase(served)])
    for (const secret of [first, second, token]) {
      expect(seen).not.toContain(secret)
      expect(seen).not.toContain(Buffer.from(secret).toString('base64'))
    }
  })

  it('is kept by its id, gets a new one when it is another, and goes when it is left out', async () => {
    const { id } = await make('Rolling', { preset: 'shopify', secrets: [first] })
    const sealed = async () => {
      const { rows } = await served.context.postgres.query<{ secrets: { id: number; sealed: string }[] }>(
        `select settings->'secrets' as secrets from sources.source where slug = $1`,
        [id],
      )
      return rows[0]?.secrets ?? []
    }
    const [before] = await sealed()
    expect((await change(id, { preset: 'shopify', secrets: [{ id: 1 }, second] })).settings).toMatchObject({
      secrets: [{ id: 1 }, { id: 2 }],
    })
    expect((await sealed())[0]).toEqual(before)
    await change(id, { preset: 'shopify', secrets: [{ id: 2 }] })
    expect((await change(id, { preset: 'shopify', secrets: [{ id: 2 }, 'third'] })).settings).toMatchObject({
      secrets: [{ id: 2 }, { id: 3 }],
    })
    await expect(change(id, { preset: 'shopify', secrets: [{ id: 1 }] })).rejects.toMatchObject({
      faults: [{ path: 'settings.secrets.0' }],
    })
    await expect(change(id, { preset: 'shopify' })).rejects.toMatchObject({ faults: [{ path: 'settings.secrets' }] })
  })

  it('stays as it is when something else about the source changes', async () => {
    const { id, settings } = await make('Renamed', { preset: 'stripe', secrets: [first] })
    const renamed = await served.client.request('PATCH /api/v1/sources/{id}', { params: { id }, body: { name: 'New' } })
    expect(renamed.settings).toEqual(settings)
  })
})

describe('presets', () => {
  it('are listed with all that it takes to use and to change them', async () => {
    const { data } = await served.client.request('GET /api/v1/webhook-presets')
    expect(data.map(preset => preset.id)).toEqual(['stripe', 'shopify', 'meta', 'call-detail-record', 'point-of-sale'])
    expect(data).toEqual(JSON.parse(JSON.stringify(webhookPresets)))
    for (const preset of data) {
      expect(preset.setup.length).toBeGreaterThan(1)
      // A preset's mapping is a start for one's own.
      const settings = { mapping: preset.mapping, signature: preset.signature, secrets: ['s'] } as JsonObject
      expect((await make(`Own ${preset.id}`, settings)).kind).toBe('webhook')
      const sample = { text: JSON.stringify(preset.sample.body), headers: preset.sample.headers }
      const preview = await served.client.request('POST /api/v1/webhook-previews', {
        body: { preset: preset.id, sample },
      })
      expect(preview).toMatchObject({ rejects: [], warnings: [], ignored: null })
      expect(preview.events.length).toBeGreaterThan(0)
    }
  })
})

describe('a preview', () => {
  const preview = (body: object) => served.client.request('POST /api/v1/webhook-previews', { body: body as never })

  it('shows the events of a mapping, and stores nothing', async () => {
    const before = await dumpDatabase(served)
    const shown = await preview({ mapping, sample: { text: '{ "user": 7 }' }, sourceId: 'website' })
    expect(shown).toMatchObject({
      events: [{ type: 'track', event: 'Visit', userId: '7', messageId: expect.any(String) }],
      rejects: [],
      ignored: null,
      warnings: [],
    })
    expect(await dumpDatabase(served)).toEqual(before)
  })

  it('shows what would be rejected and why, what is ignored, and what would be taken for the same', async () => {
    expect(await preview({ mapping, sample: { text: '{}' } })).toMatchObject({
      events: [],
      rejects: [{ reason: 'missing_identifier', rule: 'visit', item: 0 }],
    })
    expect(await preview({ preset: 'stripe', sample: { text: '{ "type": "unknown" }' } })).toMatchObject({
      ignored: 'no_rule_matched',
    })
    const each = {
      rules: [
        {
          ...mapping.rules[0],
          each: '$.list',
          event: { ...mapping.rules[0]?.event, messageId: 'always', userId: 'a' },
        },
      ],
    }
    const doubled = await preview({ mapping: each, sample: { text: '{ "list": [1, 2] }' } })
    expect(doubled.warnings).toMatchObject([{ message: expect.stringContaining('same messageId') }])
  })

  it('takes form fields as the content type says', async () => {
    const sample = { text: 'user=8', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
    expect(await preview({ mapping, sample })).toMatchObject({ events: [{ userId: '8' }] })
  })

  it.each([
    [
      'a mapping with a fault',
      { mapping: { rules: [{ name: 'a', event: { type: 'trak' } }] } },
      'mapping.rules.0.event.type',
    ],
    ['a mapping that is none', { mapping: 7 }, 'mapping'],
    ['a mapping like a bomb', { mapping: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`) }, 'mapping'],
    ['no mapping at all', {}, ''],
    ['a sample that is no JSON', { mapping, sample: { text: '{\n  "a": }' } }, 'sample.text'],
    ['an empty sample', { mapping, sample: { text: ' ' } }, 'sample.text'],
  ])('of %s says where', async (_, body, path) => {
    const refused = preview({ sample: { text: '{}' }, ...body })
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_request',
      faults: expect.arrayContaining([{ path, message: expect.stringMatching(/./) }]),
    })
  })

  it('says in which line the JSON breaks', async () => {
    const refused = preview({ mapping, sample: { text: '{\n  "a": }' } })
    await expect(refused).rejects.toMatchObject({ faults: [{ message: expect.stringContaining('line 2, column 8') }] })
  })

  it('is not for viewers', async () => {
    const { key } = await served.client.request('POST /api/v1/api-keys', { body: { name: 'Viewer', role: 'viewer' } })
    const viewer = createClient({ baseUrl: served.baseUrl, apiKey: key })
    expect((await viewer.request('GET /api/v1/webhook-presets')).data.length).toBe(5)
    const asked = viewer.request('POST /api/v1/webhook-previews', { body: { mapping: {}, sample: { text: '' } } })
    await expect(asked).rejects.toMatchObject({ code: 'forbidden' })
    const snippets = viewer.request('GET /api/v1/sources/{id}/snippets', { params: { id: 'website' } })
    await expect(snippets).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('code to paste', () => {
  const snippets = async (id: string, query: { origin?: string } = {}) =>
    (await served.client.request('GET /api/v1/sources/{id}/snippets', { params: { id }, query })).data

  it('is made for the source, and for the address that was asked or that is given', async () => {
    const data = await snippets('website')
    expect(data.map(snippet => snippet.id)).toContain('segment-browser')
    expect(data.map(snippet => snippet.id)).not.toContain('webhook')
    for (const { code } of data.filter(snippet => snippet.id !== 'pixel')) {
      expect(code).toContain(WRITE_KEY)
      expect(code).toContain(new URL(served.baseUrl).host)
    }
    const [given] = await snippets('website', { origin: 'https://events.example.com/some/path' })
    expect(given?.code).toContain("cdnURL: 'https://events.example.com'")
  })

  it('is for webhooks the address, and for imports nothing', async () => {
    const webhook = await make('Pasted', { mapping })
    expect(await snippets(webhook.id)).toMatchObject([
      { id: 'webhook', code: expect.stringContaining(`${served.baseUrl}/v1/webhooks/${webhook.writeKey}`) },
    ])
    const file = await served.client.request('POST /api/v1/sources', { body: { name: 'Files', kind: 'import' } })
    expect(await snippets(file.id)).toEqual([])
  })

  it('follows the page that asks where a proxy speaks https', async () => {
    const { host } = new URL(served.baseUrl)
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(`${served.baseUrl}/api/v1/sources/website/snippets`, {
        headers: { authorization: 'Bearer tlk_test-admin-key-of-the-default-workspace', ...headers },
      })
      return ((await response.json()) as { data: { code: string }[] }).data[0]?.code
    }
    expect(await ask({ referer: `https://${host}/sources` })).toContain(`https://${host}`)
    expect(await ask({ referer: 'https://elsewhere.example.com/' })).toContain(served.baseUrl)
  })

  it('is not made of a Host header that would be code', async () => {
    const response = await served.app.inject({
      url: '/api/v1/sources/website/snippets',
      headers: { authorization: 'Bearer tlk_test-admin-key-of-the-default-workspace', host: "'$(reboot)'" },
    })
    expect(response.json()).toMatchObject({ code: 'invalid_request' })
  })

  it.each(['ftp://events.example.com', 'javascript:alert(1)', 'events.example.com', "https://'x"])(
    'is not made for %s',
    async origin => {
      await expect(snippets('website', { origin })).rejects.toMatchObject({ code: 'invalid_request' })
    },
  )

  it('is not given away for a source of another workspace, or none', async () => {
    await expect(snippets('no-such-source')).rejects.toMatchObject({ code: 'not_found' })
  })
})
