/**
 * Evidence: in, the nodes of one event; out, what the event shows about them. Everything that identity ever decides is
 * a function of the evidence alone, so each piece carries the event that showed it, and nothing says when it arrived.
 */
import type { EventType } from '../spec/event.ts'
import type { NamespaceRule } from '../spec/identifier.ts'

/** Number of a node. Given out as identifiers are first met: it differs between rebuilds, so no rule compares it. */
export type NodeId = number

/** No node: the hub of an event without identifiers; in `profile`, a device that belongs to several people. */
export const nobody: NodeId = 0

/** A node: an identifier that the rules admit. */
export interface NodeRecord {
  id: NodeId
  namespace: string
  value: string
  /** Earliest time (ms) of an event that carried it; Infinity while only an alias or a decision has named it. */
  firstSeenAt: number
  /** The representative of its profile, or `nobody` for a device that belongs to several. */
  profile: NodeId
}

/** Operator, identify, anything else. */
export const strengths = { operator: 9, explicit: 1, observed: 0 } as const
export type Strength = (typeof strengths)[keyof typeof strengths]

interface Showing {
  /** Event time, ms. */
  at: number
  messageId: string
  source: string
  strength: Strength
}

/** A login was seen beside a contact or device. */
export interface Claim extends Showing {
  kind: 'claim'
  node: NodeId
  by: NodeId
}

/** Two contacts or devices were seen together without a login; `a` is the one of the better priority. */
export interface Link extends Showing {
  kind: 'link'
  a: NodeId
  b: NodeId
}

/** `a` says that it was known as the login `b` before. */
export interface Alias extends Showing {
  kind: 'alias'
  a: NodeId
  b: NodeId
}

export type Evidence = Claim | Link | Alias

/** What evidence is made from: the part of an event that identity reads. */
export interface EventHead {
  messageId: string
  at: number
  type: EventType
  source: string
}

/** A node as far as evidence needs it. */
export interface RankedNode {
  id: NodeId
  key: string
  rule: NamespaceRule
}

/** The order of nodes within an event; the first is its hub. */
export const byPriority = (x: RankedNode, y: RankedNode): number =>
  x.rule.priority - y.rule.priority || compareText(x.key, y.key)

/**
 * What an event shows about its nodes (given in order of priority). Beside a login every other node is claimed by it
 * and by nothing else: two nodes beside a login are joined through it or not at all. Without a login each pair is a
 * link. A second login is what an alias names.
 */
export function evidenceOf(event: EventHead, nodes: RankedNode[]): Evidence[] {
  const [hub] = nodes
  const evidence: Evidence[] = []
  if (!hub || nodes.length < 2) return evidence
  const { at, messageId, source } = event
  const strength = event.type === 'identify' ? strengths.explicit : strengths.observed
  for (const [index, a] of nodes.entries()) {
    if (hub.rule.class === 'login') {
      if (a === hub) continue
      if (a.rule.class !== 'login')
        evidence.push({ kind: 'claim', node: a.id, by: hub.id, at, messageId, source, strength })
      else if (event.type === 'alias')
        evidence.push({ kind: 'alias', a: hub.id, b: a.id, at, messageId, source, strength })
    } else {
      for (const b of nodes.slice(index + 1)) {
        evidence.push({ kind: 'link', a: a.id, b: b.id, at, messageId, source, strength })
      }
    }
  }
  return evidence
}

type Order = (x: Showing, y: Showing) => number

export const compareText = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0)

/** Event time, then messageId: a total order of events that no arrival can change. */
export const byTime: Order = (x, y) => x.at - y.at || compareText(x.messageId, y.messageId)

/** The strongest first, of these the first shown. */
export const byStrength: Order = (x, y) => y.strength - x.strength || byTime(x, y)

/** The strongest first, of these the last shown: for namespaces whose holder is the last to claim. */
const byStrengthNewest: Order = (x, y) => y.strength - x.strength || byTime(y, x)

/** The order in which the claims on a node of this namespace are read. Rows kept per pair are the first in it. */
export function orderOfClaims(rule: NamespaceRule): Order {
  if (rule.class === 'device') return byTime
  return rule.holder === 'last' ? byStrengthNewest : byStrength
}
