/**
 * Meta: leads from lead ads, comments on a page's posts, comments on Instagram, messages in Messenger and Instagram.
 *
 * Fields as in developers.facebook.com/docs (Webhooks: Page `leadgen` and `feed`, Instagram `comments`, Messenger
 * Platform `messages`). One delivery holds many entries, and Meta may batch a retry differently: so each event is known by
 * its own id (lead, comment, message), never by its place in the delivery.
 *
 * A `leadgen` change names the lead but not its answers; they are fetched from Meta by its id, or come along from a relay
 * as `field_data`. The lead's id is kept as the identifier `meta_lead_id`, so that answers which arrive later, in a
 * second delivery, join the same person.
 *
 * People on Facebook and Instagram are known by the id Meta gives them for this page or account.
 */
import type { Condition, Template, WebhookMapping } from '../mapping.ts'
import type { WebhookPreset } from './preset.ts'

/** Fields of Meta's own question types, and the traits they become. */
const leadTraits: Record<string, string> = {
  email: 'email',
  phone_number: 'phone',
  full_name: 'name',
  first_name: 'firstName',
  last_name: 'lastName',
  company_name: 'company',
  job_title: 'title',
  city: 'city',
  country: 'country',
}

const answer = (name: string): Template => ({
  collect: '@.value.field_data',
  where: { path: '@.name', equals: name },
  item: { firstOf: [{ path: '@.values[0]' }, { path: '@.value' }] },
  as: ['first', 'string'],
})

const isLead: Condition = { path: '@.field', equals: 'leadgen' }
const isInstagram: Condition = { path: '$.object', equals: 'instagram' }
const isPage: Condition = { path: '$.object', equals: 'page' }
const network: Template = { path: '$.object', as: { lookup: { page: 'facebook' } } }

/** A new comment on the page's posts by anybody but the page itself. */
const isPageComment: Condition = {
  all: [
    isPage,
    { path: '@.field', equals: 'feed' },
    { path: '@.value.item', equals: 'comment' },
    { path: '@.value.verb', equals: 'add' },
    { not: { path: '@.value.from.id', equals: { path: '@parent.id' } } },
  ],
}

/** A comment on Instagram by anybody but the account itself; `account` is where the entry's id stands. */
const isInstagramComment = (account: string): Condition => ({
  all: [
    isInstagram,
    { path: '@.field', in: ['comments', 'live_comments'] },
    { not: { path: '@.value.from.id', equals: { path: account } } },
  ],
})

const instagramComment = (entry: string): WebhookMapping['rules'][number]['event'] => ({
  type: 'track',
  event: 'Comment Added',
  messageId: { path: '@.value.id' },
  timestamp: { path: `${entry}.time`, as: 'epoch' },
  externalIds: { instagram_scoped_id: { path: '@.value.from.id' } },
  properties: {
    network: 'instagram',
    comment_id: { path: '@.value.id' },
    parent_id: { path: '@.value.parent_id' },
    text: { path: '@.value.text' },
    author: { path: '@.value.from.username' },
    post_id: { path: '@.value.media.id' },
    placement: { path: '@.value.media.media_product_type' },
    ad_id: { path: '@.value.media.ad_id' },
    account_id: { path: `${entry}.id` },
  },
})

const instagramAuthor = (entry: string): WebhookMapping['rules'][number]['event'] => ({
  type: 'identify',
  messageId: { path: '@.value.id' },
  timestamp: { path: `${entry}.time`, as: 'epoch' },
  externalIds: { instagram_scoped_id: { path: '@.value.from.id' } },
  traits: { instagramUsername: { path: '@.value.from.username' } },
})

/** A message with content; receipts and typing signs have none. `person` is who it came from or went to. */
const message = (event: string, person: string): WebhookMapping['rules'][number]['event'] => ({
  type: 'track',
  event,
  messageId: { path: '@.message.mid' },
  timestamp: { path: '@.timestamp', as: 'epoch' },
  externalIds: {
    facebook_psid: { path: person, when: isPage },
    instagram_scoped_id: { path: person, when: isInstagram },
  },
  properties: {
    network,
    message_id: { path: '@.message.mid' },
    text: { path: '@.message.text' },
    attachment_types: { collect: '@.message.attachments[*].type' },
    reply_to: { path: '@.message.reply_to.mid' },
    account_id: { path: '@parent.id' },
  },
})

const changes = '$.entry[*].changes[*]'
const messages = '$.entry[*].messaging[*]'
const isEcho: Condition = { path: '@.message.is_echo', equals: true }
const hasMessage: Condition = {
  all: [{ path: '@.message.mid', exists: true }, { not: { path: '@.message.is_deleted', equals: true } }],
}

const mapping: WebhookMapping = {
  rules: [
    {
      name: 'lead',
      each: changes,
      when: isLead,
      event: {
        type: 'track',
        event: 'Lead Submitted',
        messageId: { path: '@.value.leadgen_id', as: 'string' },
        timestamp: { path: '@.value.created_time', as: 'epoch' },
        externalIds: { meta_lead_id: { path: '@.value.leadgen_id', as: 'string' } },
        properties: {
          network: 'facebook',
          lead_id: { path: '@.value.leadgen_id', as: 'string' },
          form_id: { path: '@.value.form_id', as: 'string' },
          ad_id: { path: '@.value.ad_id', as: 'string' },
          adgroup_id: { path: '@.value.adgroup_id', as: 'string' },
          page_id: {
            firstOf: [
              { path: '@.value.page_id', as: 'string' },
              { path: '@parent.id', as: 'string' },
            ],
          },
        },
      },
    },
    {
      name: 'lead-answers',
      each: changes,
      when: { all: [isLead, { path: '@.value.field_data', exists: true }] },
      event: {
        type: 'identify',
        messageId: { path: '@.value.leadgen_id', as: 'string' },
        timestamp: { path: '@.value.created_time', as: 'epoch' },
        externalIds: { meta_lead_id: { path: '@.value.leadgen_id', as: 'string' } },
        traits: {
          ...Object.fromEntries(Object.entries(leadTraits).map(([field, trait]) => [trait, answer(field)])),
          leadAnswers: {
            collect: '@.value.field_data',
            where: { not: { path: '@.name', in: Object.keys(leadTraits) } },
            key: '@.name',
            item: { firstOf: [{ path: '@.values', as: { join: ', ' } }, { path: '@.value' }] },
          },
        },
      },
    },
    {
      name: 'page-comment',
      each: changes,
      when: isPageComment,
      // Without the permission for it, Meta leaves out who wrote.
      identity: 'none',
      event: {
        type: 'track',
        event: 'Comment Added',
        messageId: { path: '@.value.comment_id' },
        timestamp: { path: '@.value.created_time', as: 'epoch' },
        externalIds: { facebook_psid: { path: '@.value.from.id' } },
        properties: {
          network: 'facebook',
          comment_id: { path: '@.value.comment_id' },
          parent_id: { path: '@.value.parent_id' },
          post_id: { path: '@.value.post_id' },
          url: { path: '@.value.post.permalink_url' },
          text: { path: '@.value.message' },
          author: { path: '@.value.from.name' },
          account_id: { path: '@parent.id' },
        },
      },
    },
    {
      name: 'page-comment-author',
      each: changes,
      when: { all: [isPageComment, { path: '@.value.from.name', exists: true }] },
      event: {
        type: 'identify',
        messageId: { path: '@.value.comment_id' },
        timestamp: { path: '@.value.created_time', as: 'epoch' },
        externalIds: { facebook_psid: { path: '@.value.from.id' } },
        // Not `name`: what people call themselves on Facebook shall not overrule what the shop knows.
        traits: { facebookName: { path: '@.value.from.name' } },
      },
    },
    {
      name: 'instagram-comment',
      each: changes,
      when: isInstagramComment('@parent.id'),
      event: instagramComment('@parent'),
    },
    {
      name: 'instagram-comment-author',
      each: changes,
      when: { all: [isInstagramComment('@parent.id'), { path: '@.value.from.username', exists: true }] },
      event: instagramAuthor('@parent'),
    },
    // Apps with Instagram login get the change in the entry itself.
    {
      name: 'instagram-login-comment',
      each: '$.entry[*]',
      when: isInstagramComment('@.id'),
      event: instagramComment('@'),
    },
    {
      name: 'instagram-login-comment-author',
      each: '$.entry[*]',
      when: { all: [isInstagramComment('@.id'), { path: '@.value.from.username', exists: true }] },
      event: instagramAuthor('@'),
    },
    {
      name: 'message-received',
      each: messages,
      when: { all: [hasMessage, { not: isEcho }] },
      event: message('Message Received', '@.sender.id'),
    },
    {
      name: 'message-sent',
      each: messages,
      when: { all: [hasMessage, isEcho] },
      event: message('Message Sent', '@.recipient.id'),
    },
  ],
}

export const metaPreset: WebhookPreset = {
  id: 'meta',
  title: 'Meta (Facebook, Instagram)',
  summary: 'Leads, comments and messages from Facebook and Instagram, each with the person who wrote.',
  setup: [
    'In your Meta app, open Webhooks; choose Page (leadgen, feed) and Instagram (comments, messages), and for Messenger its own webhook (messages, message_echoes).',
    'Give the address of this source as callback URL and this source’s verify token; Meta asks for it once, by GET.',
    'Copy the app secret (Settings, Basic) into this source: Meta signs with it.',
    'Subscribe the page to the app. Lead answers need a relay that adds field_data, or a fetch by leadgen_id.',
  ],
  signature: { scheme: 'meta' },
  mapping,
  namespaces: {
    facebook_psid: { class: 'contact', priority: 6, limit: 5 },
    instagram_scoped_id: { class: 'contact', priority: 6, limit: 5 },
    // One per form filled in, so no limit can tell a person from a crowd.
    meta_lead_id: { class: 'contact', priority: 6 },
  },
  sample: {
    headers: {},
    body: {
      object: 'page',
      entry: [
        {
          id: '1000001',
          time: 1767261700,
          changes: [
            {
              field: 'leadgen',
              value: {
                leadgen_id: '3000001',
                page_id: '1000001',
                form_id: '4000001',
                ad_id: '5000001',
                adgroup_id: '6000001',
                created_time: 1767261690,
                field_data: [
                  { name: 'email', values: ['ada@example.com'] },
                  { name: 'full_name', values: ['Ada Example'] },
                  { name: 'favourite_tea', values: ['Earl Grey'] },
                ],
              },
            },
          ],
        },
      ],
    },
  },
}
