import fc from 'fast-check'
import { nodeOf, View } from '../src/identity/anchor.ts'
import type { Refusal } from '../src/identity/components.ts'
import {
  type Decision,
  type Merge,
  type PlannedIdentifier,
  planMerge,
  planSplit,
  type Split,
} from '../src/identity/decision.ts'
import type { StandingDecision } from '../src/identity/decision-book.ts'
import {
  type Alias,
  byPriority,
  type Claim,
  type Link,
  type NodeId,
  type NodeRecord,
} from '../src/identity/evidence.ts'
import { EvidenceGraph, type EvidenceRows, type OwnerInterval } from '../src/identity/graph.ts'
import { IdentityInMemory } from '../src/identity/in-memory.ts'
import { profileAt } from '../src/identity/publish.ts'
import type { BatchOutcome, IdentityEvent, IdentityInput } from '../src/identity/resolve-batch.ts'
import { resolveBatch } from '../src/identity/resolve-batch.ts'
import type { HistoryEvent, LoadRequest } from '../src/identity/step.ts'
import {
  defaultIdentityRules,
  type Identifier,
  type IdentityRules,
  parseIdentifierKey,
} from '../src/spec/identifier.ts'

/**
 * Random small worlds for the properties of identity: few people, few identifiers, tied times, so that every rule
 * meets every other within twenty events.
 */

/** Histories per test file: 2,000 by `npm test`, 100,000 by `npm run test:long`. */
export const runs = Number(process.env.THROUGHLINE_RUNS ?? 2_000)

/** A property's share of the file's histories, and its seed printed when it fails (fast-check's own report). */
export const share = (part: number): fc.Parameters<unknown> => ({ numRuns: Math.ceil(runs * part) })

const day = 86_400_000
/** One tick of a world's clock. */
export const tick = day

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
    if (rule) namespaces[contact] = { ...rule, limit: emailLimit, holder, window }
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
export function decide(graph: EvidenceGraph, chosen: Act, number: number, standing: Decision[]): Decision | undefined {
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

/**
 * A store that keeps rows as PostgreSQL would, and returns only what it is asked for, as copies. With `forgetful` the
 * graph is emptied before every batch, so that everything must be loaded again.
 */
export class SimulatedStore {
  readonly #nodes = new Map<NodeId, NodeRecord>()
  readonly #ids = new Map<string, NodeId>()
  #claims: Claim[] = []
  #links: Link[] = []
  #aliases: Alias[] = []
  #owners: (OwnerInterval & { node: NodeId })[] = []
  #refusals: Refusal[] = []
  #events: (HistoryEvent & { every: NodeId[] })[] = []
  #standing: StandingDecision[] = []
  #undone: string[] = []
  loads = 0
  histories = 0
  #lastId: number

  /** Ids begin anywhere: nothing may depend on them. */
  constructor(firstId = 0) {
    this.#lastId = firstId
  }

  resolve(graph: EvidenceGraph, batch: IdentityInput[]): BatchOutcome {
    const steps = resolveBatch(graph, batch)
    let step = steps.next()
    for (; !step.done; step = steps.next()) this.#answer(step.value)
    this.#write(step.value, batch)
    return step.value
  }

  #answer(request: LoadRequest): void {
    if (request.kind === 'find') request.answer(request.identifiers.map(identifier => this.#find(identifier)))
    else if (request.kind === 'load') {
      this.loads += 1
      request.answer(this.#load(new Set(request.nodes)))
    } else {
      this.histories += 1
      const hubs = new Set([...request.partners, request.device])
      request.answer(this.#events.filter(event => hubs.has(event.hub) && event.every.includes(request.device)))
    }
  }

  #find({ namespace, value }: Identifier): { record: NodeRecord; isNew: boolean } {
    const known = this.#ids.get(`${namespace}:${value}`)
    if (known !== undefined) return { record: { ...(this.#nodes.get(known) as NodeRecord) }, isNew: false }
    this.#lastId += 7
    const node = this.#lastId
    this.#ids.set(`${namespace}:${value}`, node)
    return { record: { id: node, namespace, value, firstSeenAt: Number.POSITIVE_INFINITY, profile: node }, isNew: true }
  }

  #load(nodes: Set<NodeId>): EvidenceRows {
    const claims = this.#claims.filter(claim => nodes.has(claim.node) || nodes.has(claim.by))
    const links = this.#links.filter(link => nodes.has(link.a) || nodes.has(link.b))
    const aliases = this.#aliases.filter(alias => nodes.has(alias.a) || nodes.has(alias.b))
    const named = [...nodes, ...claims.flatMap(claim => [claim.node, claim.by])]
    named.push(...[...links, ...aliases].flatMap(pair => [pair.a, pair.b]))
    return structuredClone({
      nodes: [...new Set(named)].flatMap(node => this.#nodes.get(node) ?? []),
      ...{ claims, links, aliases },
      owners: this.#owners.filter(owner => nodes.has(owner.node)),
    })
  }

  #write(outcome: BatchOutcome, batch: IdentityInput[]): void {
    const { rows, refusals } = outcome
    for (const node of [...outcome.newNodes, ...outcome.seenEarlier]) {
      const { id: nodeId, namespace, value, firstSeenAt, profile } = node
      this.#nodes.set(nodeId, { id: nodeId, namespace, value, firstSeenAt, profile })
    }
    const kept = [...this.#claims, ...this.#links, ...this.#aliases].filter(
      row => !rows.removed.values().some(gone => isSameRow(gone, row)),
    )
    const all = [...kept, ...structuredClone([...rows.added])]
    this.#claims = all.filter(row => row.kind === 'claim')
    this.#links = all.filter(row => row.kind === 'link')
    this.#aliases = all.filter(row => row.kind === 'alias')
    for (const { node, after } of outcome.changes) {
      this.#nodes.set(node, { ...(this.#nodes.get(node) as NodeRecord), profile: after.profile })
      this.#owners = this.#owners.filter(owner => owner.node !== node)
      this.#owners.push(...after.owners.map(owner => ({ node, ...owner })))
    }
    const solved = new Set(refusals.nodes)
    this.#refusals = this.#refusals.filter(({ u, v }) => !solved.has(nodeOf(u)) && !solved.has(nodeOf(v)))
    this.#refusals.push(...structuredClone(refusals.rows))
    for (const decision of outcome.decisions) this.#writeDecision(decision)
    for (const [index, input] of batch.entries()) this.#writeEvent(input, outcome.events[index])
  }

  #writeEvent(input: IdentityInput, resolved: BatchOutcome['events'][number] | undefined): void {
    if ('kind' in input || !resolved) return
    if (this.#events.some(event => event.messageId === input.messageId)) return
    const { messageId, at, type, source } = input
    const { hub, nodes } = resolved
    this.#events.push({ messageId, at, type, source, hub, nodes, every: [hub, ...nodes] })
  }

  #writeDecision(decision: Decision): void {
    if (decision.kind === 'undo') {
      this.#undone.push(decision.decision)
      return
    }
    const idsOf = (named: Identifier[]) => named.map(one => this.#ids.get(`${one.namespace}:${one.value}`) ?? 0)
    const { id: decisionId, at } = decision
    if (decision.kind === 'split') {
      this.#standing.push({ kind: 'split', id: decisionId, at, out: idsOf(decision.out), rest: idsOf(decision.rest) })
      return
    }
    const { nodeSeenAt, withSeenAt } = decision
    const [node = 0, other = 0] = idsOf([decision.node, decision.with])
    this.#standing.push({ kind: 'merge', id: decisionId, at, node, nodeSeenAt, with: other, withSeenAt })
  }

  /** A graph that knows of nothing but the decisions, as a process has it that begins. */
  open(rules: IdentityRules): EvidenceGraph {
    const graph = new EvidenceGraph(rules)
    for (const decision of this.#standing) graph.decisions.put(decision)
    for (const undone of this.#undone) graph.decisions.undo(undone)
    return graph
  }

  /** A graph that holds all rows, to read the result from. */
  whole(rules: IdentityRules): EvidenceGraph {
    const graph = this.open(rules)
    graph.fill([...this.#nodes.keys()], this.#load(new Set(this.#nodes.keys())))
    return graph
  }

  get refusals(): Refusal[] {
    return this.#refusals
  }
}

const isSameRow = (x: Claim | Link | Alias, y: Claim | Link | Alias): boolean =>
  x.kind === y.kind && x.at === y.at && x.messageId === y.messageId && isSamePair(x, y)

const isSamePair = (x: Claim | Link | Alias, y: Claim | Link | Alias): boolean => {
  if (x.kind === 'claim') return y.kind === 'claim' && x.node === y.node && x.by === y.by
  return y.kind !== 'claim' && x.a === y.a && x.b === y.b
}

/** How often random worlds reach what is rare; a property that never gets there proves nothing. */
export function coverageOf(worlds: number): Record<string, number> {
  const reached: Record<string, number> = {
    ...{ 'refused: unique': 0, 'refused: limit': 0, 'refused: split': 0 },
    ...{ 'refused: a link': 0, 'refused: a claim': 0, 'refused: an alias': 0, 'refused: a merge': 0 },
    ...{ 'merge of people': 0, 'merge of a device and a person': 0, 'merge of devices': 0, 'split of a device': 0 },
    ...{ 'a device contested late': 0, 'a device of several people': 0, 'a crowded device': 0, 'an undo': 0 },
    ...{ 'an alias of the unseen': 0, 'a contact beyond the limit': 0, 'a full window': 0, 'a last holder': 0 },
    ...{ 'a profile renamed': 0, 'profiles merged': 0, 'a profile split': 0, 'evidence superseded': 0 },
  }
  const count = (what: string, times = 1) => {
    reached[what] = (reached[what] ?? 0) + times
  }
  for (const [all, how, rules] of fc.sample(fc.tuple(events, arrival, anyRules), worlds)) {
    const store = new SimulatedStore()
    const graph = store.open(rules)
    acted(all, how, rules, batch => {
      const outcome = store.resolve(graph, batch)
      for (const { kind } of outcome.profileChanges) count(changeNames[kind])
      count('evidence superseded', outcome.rows.removed.size)
      for (const decision of outcome.decisions) countDecision(graph, decision, count)
      for (const refusal of outcome.refusals.rows) {
        count(`refused: ${refusal.rule}`)
        count(`refused: ${refusal.kind === 'alias' ? 'an alias' : `a ${refusal.kind}`}`)
      }
    })
    count('a device contested late', store.histories)
    countStanding(store.whole(rules), count)
  }
  return reached
}

type Count = (what: string, times?: number) => void

const changeNames = {
  created: 'a profile created',
  renamed: 'a profile renamed',
  merged: 'profiles merged',
  split: 'a profile split',
}

function countDecision(graph: EvidenceGraph, decision: Decision, count: Count): void {
  const isDevice = (one: Identifier) => graph.find(one)?.rule.class === 'device'
  if (decision.kind === 'undo') count('an undo')
  else if (decision.kind === 'split') count('split of a device', decision.out.filter(isDevice).length)
  else {
    const devices = [decision.node, decision.with].filter(isDevice).length
    count(['merge of people', 'merge of a device and a person', 'merge of devices'][devices] ?? '')
  }
}

function countStanding(graph: EvidenceGraph, count: Count): void {
  const view = new View(graph)
  for (const node of graph.nodes()) {
    if (node.profile === 0) count('a device of several people')
    if (node.firstSeenAt === Number.POSITIVE_INFINITY) count('an alias of the unseen')
    const choice = node.rule.class === 'contact' && !view.isExplicit(node.id) && view.choice(node.id)
    if (choice && view.contactAnchor(node) === node.id) {
      count('a contact beyond the limit')
      if (node.rule.window === 'weekly') count('a full window')
    }
    const claims = graph.evidence(node.id).claims
    if (node.rule.holder === 'last' && claims.some(claim => claim.by !== claims[0]?.by)) count('a last holder')
    for (const link of [...graph.evidence(node.id).links.values()].flat()) {
      if (!view.joins(link)) count('a crowded device')
    }
  }
}
