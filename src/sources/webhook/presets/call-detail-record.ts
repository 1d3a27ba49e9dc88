/**
 * A call centre's call-detail record: one delivery per finished call, as JSON or as form fields.
 *
 * There is no standard, so this is the common denominator, under the names that most systems can be told to send:
 * call_id, direction (inbound, outbound, internal), from, to, agent_id, agent_name, queue, started_at, answered_at,
 * ended_at, duration (seconds), talk_seconds, outcome (or disposition), recording_url. Twilio's status callback
 * (CallSid, Direction, From, To, CallStatus, CallDuration, RecordingUrl, Timestamp) is read as it comes.
 *
 * The customer is who called us, or whom we called: never the agent. Internal calls are left out. A record without a
 * direction does not say which number is the customer's, and is rejected instead of guessed. A withheld number is a call
 * of nobody: all withheld numbers together are no person.
 */
import type { Condition, Template, WebhookMapping } from '../mapping.ts'
import type { WebhookPreset } from './preset.ts'

const anyOf = (...paths: string[]): { firstOf: { path: string }[] } => ({ firstOf: paths.map(path => ({ path })) })
const oneIs = (paths: string[], values: string[]): Condition => ({
  any: paths.map(path => ({ path, in: values, ignoreCase: true })),
})
const oneStarts = (paths: string[], start: string): Condition => ({
  any: paths.map(path => ({ path, startsWith: start, ignoreCase: true })),
})

const directionPaths = ['$.direction', '$.Direction']
const isInbound: Condition = {
  any: [oneStarts(directionPaths, 'inbound'), oneIs(directionPaths, ['in', 'incoming'])],
}
const isOutbound: Condition = {
  any: [oneStarts(directionPaths, 'outbound'), oneIs(directionPaths, ['out', 'outgoing'])],
}
/**
 * Between colleagues, or the leg of a call that rings at an agent: Twilio reports that leg as a call of its own
 * (ParentCallSid), with the agent's phone, softphone (`client:`) or desk phone (`sip:`) at one end.
 */
const isInternal: Condition = {
  any: [
    oneIs(directionPaths, ['internal', 'local']),
    { path: '$.ParentCallSid', exists: true },
    ...['$.from', '$.From', '$.to', '$.To'].flatMap(path => [
      { path, startsWith: 'client:' },
      { path, startsWith: 'sip:' },
    ]),
  ],
}

const outcomePaths = ['$.outcome', '$.disposition', '$.CallStatus']
const hasOutcome: Condition = { any: outcomePaths.map(path => ({ path, exists: true })) }
const isAnswered: Condition = {
  any: [
    oneIs(outcomePaths, ['answered', 'answer', 'completed', 'connected']),
    {
      all: [
        { not: hasOutcome },
        {
          any: [
            { path: '$.answered_at', exists: true },
            { path: '$.talk_seconds', greaterThan: 0 },
          ],
        },
      ],
    },
  ],
}
/** A call still ringing is no record yet; Twilio reports each step to the same address. */
const isOver: Condition = { not: oneIs(['$.CallStatus'], ['queued', 'initiated', 'ringing', 'in-progress']) }
const isWithCustomer: Condition = { all: [isOver, { not: isInternal }] }

/** How systems spell a caller who does not show a number; the numbers are Twilio's for the words on a keypad. */
const withheld = [
  'anonymous',
  'restricted',
  'private',
  'withheld',
  'unavailable',
  'unknown',
  'blocked',
  '+266696687',
  '+7378742833',
  '+2562533',
  '+8566696',
  '+86282452253',
]
const isWithheld: Condition = oneIs(['$.from', '$.From'], withheld)

const from = anyOf('$.from', '$.From')
const to = anyOf('$.to', '$.To')
const startedAt: Template = {
  firstOf: [
    { path: '$.started_at', as: 'time' },
    { path: '$.start_time', as: 'time' },
    { path: '$.StartTime', as: 'time' },
  ],
}

const call = (
  direction: Template,
  customer: Template,
  company: Template,
): WebhookMapping['rules'][number]['event'] => ({
  type: 'track',
  event: { firstOf: [{ constant: 'Call Completed', when: isAnswered }, 'Call Missed'] },
  messageId: { ...anyOf('$.call_id', '$.CallSid'), as: 'string' },
  timestamp: { firstOf: [startedAt, { path: '$.answered_at' }, { path: '$.ended_at' }, { path: '$.Timestamp' }] },
  context: { traits: { phone: customer } },
  properties: {
    call_id: { ...anyOf('$.call_id', '$.CallSid'), as: 'string' },
    direction,
    company_number: company,
    queue: { path: '$.queue' },
    agent_id: { path: '$.agent_id', as: 'string' },
    agent_name: { path: '$.agent_name' },
    started_at: startedAt,
    answered_at: { path: '$.answered_at', as: 'time' },
    ended_at: { path: '$.ended_at', as: 'time' },
    duration_seconds: { ...anyOf('$.duration', '$.CallDuration'), as: 'number' },
    talk_seconds: { path: '$.talk_seconds', as: 'number' },
    outcome: { ...anyOf('$.outcome', '$.disposition', '$.CallStatus'), as: 'lowerCase' },
    recording_url: anyOf('$.recording_url', '$.RecordingUrl'),
  },
})

const mapping: WebhookMapping = {
  rules: [
    {
      name: 'inbound-call',
      when: { all: [isWithCustomer, isInbound, { not: isWithheld }] },
      event: call('inbound', { ...from, as: 'string' }, { ...to, as: 'string' }),
    },
    {
      name: 'inbound-call-withheld',
      when: { all: [isWithCustomer, isInbound, isWithheld] },
      identity: 'none',
      event: call('inbound', null, { ...to, as: 'string' }),
    },
    {
      name: 'outbound-call',
      when: { all: [isWithCustomer, isOutbound] },
      event: call('outbound', { ...to, as: 'string' }, { ...from, as: 'string' }),
    },
    {
      // Names nobody on purpose, so that it is rejected with a reason, kept, and can be mended.
      name: 'call-without-direction',
      when: { all: [isWithCustomer, { not: { any: [isInbound, isOutbound] } }] },
      event: call(null, null, null),
    },
  ],
}

export const callDetailRecordPreset: WebhookPreset = {
  id: 'call-detail-record',
  title: 'Call centre (call-detail records)',
  summary: 'Each finished call as Call Completed or Call Missed, on the timeline of the customer’s phone number.',
  setup: [
    'In the telephone system, choose an HTTP or webhook action for finished calls, method POST, with the address of this source.',
    'Send the fields call_id, direction, from, to, agent_id, agent_name, queue, started_at, answered_at, ended_at, duration, outcome, recording_url, as JSON or form fields; numbers with their country code.',
    'Send the token of this source in the header X-Webhook-Token.',
    'From Twilio: set the address with ?token=… as status callback and choose a token in the query parameter "token".',
  ],
  signature: { scheme: 'token', in: 'header', name: 'X-Webhook-Token' },
  mapping,
  namespaces: {},
  sample: {
    headers: {},
    body: {
      call_id: 'call-1001',
      direction: 'inbound',
      from: '+4930901820',
      to: '+4930901000',
      agent_id: 'agent-7',
      agent_name: 'Robin',
      queue: 'orders',
      started_at: '2026-01-05T09:30:00Z',
      answered_at: '2026-01-05T09:30:12Z',
      ended_at: '2026-01-05T09:34:12Z',
      duration: 252,
      talk_seconds: 240,
      outcome: 'answered',
      recording_url: 'https://calls.example.com/recordings/call-1001',
    },
  },
}
