/**
 * Random small worlds for the properties of identity: few people, few identifiers, tied times, so that every rule
 * meets every other within twenty events.
 */
import fc from 'fast-check'
import { nodeOf } from '../src/identity/anchor.ts'
import type { Refusal } from '../src/identity/components.ts'
import {
  type Decision,
  type Merge,
  type PlannedIdentifier,
  planMerge,
  planSplit,
  type Split,
} from '../src/identity/decision.ts'
import { byPriority, type NodeId } from '../src/identity/evidence.ts'
import type { EvidenceGraph } from '../src/identity/graph.ts'
import { IdentityInMemory } from '../src/identity/in-memory.ts'
import { profileAt } from '../src/identity/publish.ts'
import type { IdentityEvent, IdentityInput } from '../src/identity/resolve-batch.ts'
import type { HistoryEvent } from '../src/identity/step.ts'
import {
  defaultIdentityRules,
  type Identifier,
  type IdentityRules,
  parseIdentifierKey,
} from '../src/spec/identifier.ts'

/** Histories per test file: 2,000 by `npm test`, 100,000 by `npm run test:long`. */
export const runs = Number(process.env.THROUGHLINE_RUNS ?? 2_000)

/** A property's share of the file's histories, and its seed printed when it fails (fast-check's own report). */
export const share = (part: number): fc.Parameters<unknown> => ({ numRuns: Math.ceil(runs * part) })

const day = 86_400_000
/** One tick of a world's clock. */
const tick = day

export function rulesWith(change: {
  emailLimit?: number
  crowd?: number
  holder?: 'first' | 'last'
  window?: 'ever' | 'weekly'
}): IdentityRules {
  const { emailLimit = 2, crowd = 3, holder = 'first', window = 'ever' } = change
  const { namespaces } = structuredClone(defaultIdentityRules)
  for (const contact of ['email', 'phone']) {
    const rule = namespaces[contact]
    // Values are plain numbers here, which no e-mail address is.
    if (rule) namespaces[contact] = { ...rule, limit: emailLimit, holder, window, normaliser: 'trim' }
  }
  return { namespaces, crowd }
}

const id = (namespace: string, number: number): Identifier => ({ namespace, value: String(number + 1) })

/** A value in so many of a hundred cases, else nothing. */
const sometimes = <Value>(percent: number, value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.oneof({ weight: percent, arbitrary: value }, { weight: 100 - percent, arbitrary: fc.constant(null) })

const identifiers = fc
  .record({
    login: sometimes(45, fc.nat(3)),
    email: sometimes(35, fc.nat(3)),
    phone: sometimes(15, fc.nat(1)),
    browser: sometimes(70, fc.nat(3)),
    app: sometimes(15, fc.nat(1)),
  })
  .map(({ login, email, phone, browser, app }) => {
    const all = [
      ...(login === null ? [] : [id('user_id', login)]),
      ...(email === null ? [] : [id('email', email)]),
      ...(phone === null ? [] : [id('phone', phone)]),
      ...(browser === null ? [] : [id('anonymous_id', browser)]),
      ...(app === null ? [] : [id('ios.id', app)]),
    ]
    return all.length > 0 ? all : [id('anonymous_id', 0)]
  })

const plainEvent = fc.record({
  type: fc.constantFrom('track', 'identify', 'page', 'track', 'identify'),
  at: fc.nat(14),
  identifiers,
})

const aliasEvent = fc.record({ at: fc.nat(14), to: fc.nat(3), from: fc.nat(3) }).map(({ at, to, from }) => ({
  type: 'alias' as const,
  at,
  identifiers: [id('user_id', to)],
  previous: [id('user_id', from), id('anonymous_id', from)],
}))

type Draft = { type: string; at: number; identifiers: Identifier[]; previous?: Identifier[] }

const asEvent = (draft: Draft, index: number): IdentityEvent => ({
  ...draft,
  type: draft.type as IdentityEvent['type'],
  messageId: `m${String(index).padStart(3, '0')}`,
  at: (draft.at + 1) * tick,
  source: 'web',
})

/** 3 to 20 events; one in twelve is an alias. */
export const events: fc.Arbitrary<IdentityEvent[]> = fc
  .array(fc.oneof({ weight: 11, arbitrary: plainEvent as fc.Arbitrary<Draft> }, { weight: 1, arbitrary: aliasEvent }), {
    minLength: 3,
    maxLength: 20,
  })
  .map(drafts => drafts.map(asEvent))

export const eventsWithoutAlias: fc.Arbitrary<IdentityEvent[]> = events.map(all =>
  all.filter(event => event.type !== 'alias'),
)

/** An operator's act, made real from what the operator sees at that moment. */
export interface Act {
  kind: 'merge' | 'split' | 'undo'
  first: number
  second: number
  mask: number
}

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('merge', 'merge', 'split', 'split', 'undo'),
  first: fc.nat(1_000),
  second: fc.nat(1_000),
  mask: fc.nat(254).map(mask => mask + 1),
})

/** How a history arrives: in which order, in batches of what size, what is sent twice, what operators do in between. */
export interface Arrival {
  order: number[]
  batches: number[]
  repeated: boolean[]
  acts: (Act | null)[]
}

export const arrival: fc.Arbitrary<Arrival> = fc.record({
  order: fc.array(fc.nat(1_000_000), { minLength: 25, maxLength: 25 }),
  batches: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 25, maxLength: 25 }),
  repeated: fc.array(
    fc.nat(6).map(one => one === 0),
    { minLength: 25, maxLength: 25 },
  ),
  acts: fc.array(sometimes(30, act), { minLength: 25, maxLength: 25 }),
})

/** Any rules that a workspace may choose: small limits, kiosks soon, the first or last holder, with and without window. */
export const anyRules: fc.Arbitrary<IdentityRules> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(rulesWith({})) },
  {
    weight: 1,
    arbitrary: fc
      .record({
        emailLimit: fc.integer({ min: 1, max: 3 }),
        crowd: fc.integer({ min: 1, max: 3 }),
        holder: fc.constantFrom('first' as const, 'last' as const),
        window: fc.constantFrom('ever' as const, 'weekly' as const),
      })
      .map(rulesWith),
  },
)

/** Everything at once, in a graph of its own. */
export function rebuild(inputs: IdentityInput[], rules: IdentityRules): IdentityInMemory {
  const identity = new IdentityInMemory(
    rules,
    historyIn(
      () => identity.graph,
      () => inputs,
    ),
  )
  identity.resolve(inputs)
  return identity
}

export const signatureOf = (identity: IdentityInMemory, inputs: IdentityInput[]): string[] =>
  signature(identity.graph, inputs, identity.refusals.all())

/**
 * A history with operators: batch after batch, and after some of them a decision made from how things stand. Returns
 * everything in order of arrival, and the merges and splits that stand in the end. `step` sees each batch.
 */
export function acted(
  all: IdentityEvent[],
  how: Arrival,
  rules: IdentityRules,
  step: (batch: IdentityInput[]) => void = () => {},
): { inputs: IdentityInput[]; standing: (Merge | Split)[] } {
  const inputs: IdentityInput[] = []
  const standing: (Merge | Split)[] = []
  const take = (batch: IdentityInput[]) => {
    inputs.push(...batch)
    step(batch)
  }
  for (const [index, batch] of arrive(all, how).entries()) {
    take(batch)
    const chosen = how.acts[index % how.acts.length]
    const decision = chosen && decide(rebuild(inputs, rules).graph, chosen, index, standing)
    if (!decision) continue
    take([decision])
    if (decision.kind !== 'undo') standing.push(decision)
    else
      standing.splice(
        standing.findIndex(one => one.id === decision.decision),
        1,
      )
  }
  return { inputs, standing }
}

/** The events in the order of an arrival, some of them twice, cut into batches. */
export function arrive<Item>(all: Item[], { order, batches, repeated }: Arrival): Item[][] {
  const shuffled = all
    .flatMap((item, index) => (repeated[index % repeated.length] ? [item, item] : [item]))
    .map((item, index) => ({ item, place: (order[index % order.length] ?? 0) + (index >= order.length ? index : 0) }))
    .sort((x, y) => x.place - y.place)
    .map(({ item }) => item)
  const cut: Item[][] = []
  for (let from = 0; from < shuffled.length; ) {
    const size = batches[cut.length % batches.length] ?? 1
    cut.push(shuffled.slice(from, from + size))
    from += size
  }
  return cut
}

/** Makes an act real; undefined when it makes no sense where things stand. */
function decide(graph: EvidenceGraph, chosen: Act, number: number, standing: Decision[]): Decision | undefined {
  const head = { id: `d${number}`, at: number, by: 'operator' }
  if (chosen.kind === 'undo') {
    const taken = standing[chosen.first % Math.max(1, standing.length)]
    return taken && { kind: 'undo', ...head, decision: taken.id }
  }
  const profiles = [...membersByProfile(graph)].sort(([x], [y]) => (x < y ? -1 : 1))
  const first = profiles[chosen.first % Math.max(1, profiles.length)]
  const second = profiles[chosen.second % Math.max(1, profiles.length)]
  if (!first || !second) return undefined
  if (chosen.kind === 'merge') {
    const [one, other] = [memberOf(graph, first[0]), memberOf(graph, second[0])]
    const plan = one && other ? planMerge(one, other, head) : 'same_profile'
    return typeof plan === 'string' ? undefined : plan
  }
  const members = first[1]
  const plan = planSplit(
    members,
    members.filter((_, index) => (chosen.mask >> (index % 8)) & 1),
    head,
  )
  return typeof plan === 'string' ? undefined : plan
}

const memberOf = (graph: EvidenceGraph, key: string): PlannedIdentifier | undefined => {
  const identifier = parseIdentifierKey(key)
  const node = identifier && graph.find(identifier)
  const { namespace, value, rule, firstSeenAt } = node ?? {}
  if (namespace === undefined || value === undefined || !rule || firstSeenAt === undefined) return undefined
  return { namespace, value, class: rule.class, firstSeenAt }
}

/** The seen identifiers of each profile; a shared device is in several. */
export function membersByProfile(graph: EvidenceGraph): Map<string, PlannedIdentifier[]> {
  const members = new Map<string, PlannedIdentifier[]>()
  for (const node of [...graph.nodes()].sort((x, y) => (x.key < y.key ? -1 : 1))) {
    const member = memberOf(graph, node.key)
    if (!member || member.firstSeenAt === Number.POSITIVE_INFINITY) continue
    const profiles = node.profile === 0 ? (node.evidence?.owners ?? []).map(owner => owner.profile) : [node.profile]
    for (const profile of new Set(profiles)) {
      const { key } = graph.node(profile)
      members.set(key, [...(members.get(key) ?? []), member])
    }
  }
  return members
}

/** Everything that must come out the same whatever the order: events, nodes and refusals, by keys. */
export function signature(graph: EvidenceGraph, all: IdentityInput[], refusals: Iterable<Refusal>): string[] {
  const keyOf = (node: NodeId) => graph.node(node).key
  const ofEvents = all.flatMap(input => {
    if ('kind' in input) return []
    const nodes = input.identifiers.flatMap(identifier => graph.find(identifier) ?? [])
    const hub = nodes.sort(byPriority)[0]
    return hub ? [`event ${input.messageId} ${keyOf(profileAt(graph, hub.id, input.at))}`] : []
  })
  const ofNodes = [...graph.nodes()]
    .filter(node => node.firstSeenAt !== Number.POSITIVE_INFINITY)
    .map(node => {
      const owners = graph.evidence(node.id).owners
      const spans = owners.map(({ from, to, profile }) => `${from / tick}–${to / tick} ${keyOf(profile)}`)
      return `node ${node.key} ${node.firstSeenAt / tick} ${node.profile ? keyOf(node.profile) : spans.join(', ')}`
    })
  return [...new Set(ofEvents), ...ofNodes, ...[...refusals].map(refusal => refusalText(graph, refusal))].sort()
}

const refusalText = (graph: EvidenceGraph, refusal: Refusal) =>
  ['refusal', refusal.rule, refusal.namespace, refusal.kind, graph.node(refusal.a).key, graph.node(refusal.b).key]
    .concat([graph.node(nodeOf(refusal.u)).key, graph.node(nodeOf(refusal.v)).key, refusal.messageId])
    .join(' ')

/** The past events of a device among these, in the form of the event store. */
export function historyIn(graph: () => EvidenceGraph, past: () => IdentityInput[]): (device: NodeId) => HistoryEvent[] {
  return device => {
    const { key } = graph().node(device)
    return past().flatMap((input): HistoryEvent[] => {
      if ('kind' in input) return []
      const find = (named: Identifier[]) => named.flatMap(identifier => graph().find(identifier) ?? []).sort(byPriority)
      const [hub, ...others] = [...new Set([...find(input.identifiers), ...find(input.previous ?? [])])]
      if (!hub || ![hub, ...others].some(node => node.key === key)) return []
      const { messageId, at, type, source } = input
      return [{ messageId, at, type, source, hub: hub.id, nodes: others.map(node => node.id) }]
    })
  }
}
