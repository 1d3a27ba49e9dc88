/**
 * Fragments of one person's identifiers come in; traits go out, each with where it came from and what it overruled. Pure.
 * Nothing is copied at a merge, so that taking a merge back is exact.
 */
import { z } from 'zod'
import type { Json } from '../spec/json.ts'
import { type Assertion, canonical, type Fragment, isLater, type TraitHistory } from './fragment.ts'

/** Who wins where sources or times disagree. */
export const traitPolicySchema = z.object({
  /** `latest` and `first` go by event time; `max` takes the greatest number; `union` collects every distinct value. */
  rule: z.enum(['latest', 'first', 'max', 'union']).default('latest'),
  /** Sources that outrank all others, the strongest first. */
  sources: z.array(z.string().max(200)).max(50).default([]),
})
export type TraitPolicy = z.infer<typeof traitPolicySchema>
export type TraitPolicies = { [trait: string]: TraitPolicy }

/** A person's own edit in the CRM outranks tracking unless a trait's policy says otherwise. */
const defaultPolicy: TraitPolicy = { rule: 'latest', sources: ['crm'] }

/** A fragment as stored, with the time in which its identifier belonged to this person (a shared device; else always). */
export interface OwnedFragment {
  source: string
  fragment: Fragment
  /** Half-open [from, to) in epoch ms. */
  intervals?: { from: number; to: number }[]
}

export interface Provenance {
  source: string
  messageId: string
  /** ISO-8601, event time. */
  timestamp: string
  overruled: { value: Json; source: string; messageId: string; timestamp: string }[]
}

export interface FoldedProfile {
  traits: { [trait: string]: Json }
  provenance: { [trait: string]: Provenance }
}

interface Candidate {
  assertion: Assertion
  source: string
  first: Assertion
  max: Assertion
  /** Counts only where nothing else is known; then the earliest does. */
  isOnce?: boolean
}

export function foldProfile(fragments: OwnedFragment[], policies: TraitPolicies): FoldedProfile {
  const byTrait = new Map<string, Candidate[]>()
  for (const owned of fragments) {
    for (const trait in owned.fragment) {
      const candidates = candidatesOf(owned.fragment[trait] as TraitHistory, owned)
      if (candidates.length === 0) continue
      const known = byTrait.get(trait)
      if (known) known.push(...candidates)
      else byTrait.set(trait, candidates)
    }
  }
  const folded: FoldedProfile = { traits: Object.create(null), provenance: Object.create(null) }
  for (const trait of [...byTrait.keys()].sort()) {
    foldTrait(folded, trait, byTrait.get(trait) as Candidate[], policyOf(policies, trait))
  }
  return folded
}

/** A trait may be called `constructor`: only what the policies themselves hold counts. */
const policyOf = (policies: TraitPolicies, trait: string): TraitPolicy =>
  (Object.hasOwn(policies, trait) ? policies[trait] : undefined) ?? defaultPolicy

function candidatesOf(history: TraitHistory, { source, intervals }: OwnedFragment): Candidate[] {
  const isOwn = ([, at]: Assertion) => !intervals || intervals.some(({ from, to }) => at >= from && at < to)
  const once = history.once && isOwn(history.once) ? [onceCandidate(history.once, source)] : []
  const said = history.latest.filter(isOwn)
  // Of a shared device every assertion is kept, so that each owner's first and greatest are among them.
  const first = intervals ? undefined : (history.first ?? said.at(-1))
  const max = intervals ? undefined : history.max
  return [...said.map(assertion => ({ assertion, source, first: first ?? assertion, max: max ?? assertion })), ...once]
}

const onceCandidate = (assertion: Assertion, source: string): Candidate => ({
  ...{ assertion, source, first: assertion, max: assertion },
  isOnce: true,
})

function foldTrait(folded: FoldedProfile, trait: string, candidates: Candidate[], policy: TraitPolicy): void {
  const sorted = candidates.toSorted((a, b) => rankOf(a, policy) - rankOf(b, policy) || compare(a, b))
  const top = sorted[0] as Candidate
  const peers = sorted.filter(candidate => rankOf(candidate, policy) === rankOf(top, policy))
  const winner = chooseWinner(peers, policy)
  // Null says that there is no such trait any more; it wins like a value and is then not shown.
  if (winner.assertion[0] === null && policy.rule !== 'union') return
  folded.traits[trait] = policy.rule === 'union' ? unionOf(peers) : winner.assertion[0]
  folded.provenance[trait] = {
    source: winner.source,
    messageId: winner.assertion[2],
    timestamp: new Date(winner.assertion[1]).toISOString(),
    overruled: overruledBy(winner, sorted),
  }
}

function rankOf(candidate: Candidate, policy: TraitPolicy): number {
  const last = policy.sources.length
  if (candidate.isOnce) return last + 1
  const rank = policy.sources.indexOf(candidate.source)
  return rank === -1 ? last : rank
}

/** The newest first; of those that count once, the earliest. */
const compare = (a: Candidate, b: Candidate) => (isLater(a.assertion, b.assertion) === !a.isOnce ? -1 : 1)

function chooseWinner(peers: Candidate[], policy: TraitPolicy): Candidate {
  const newest = peers[0] as Candidate
  if (newest.isOnce) return newest
  if (policy.rule === 'first') {
    return peers
      .map(peer => ({ ...peer, assertion: peer.first }))
      .reduce((a, b) => (isLater(a.assertion, b.assertion) ? b : a))
  }
  if (policy.rule === 'max') {
    const numbers = peers
      .map(peer => ({ ...peer, assertion: peer.max ?? peer.assertion }))
      .filter(peer => typeof peer.assertion[0] === 'number')
    if (numbers.length === 0) return newest
    return numbers.reduce((a, b) => {
      const [left, right] = [a.assertion[0] as number, b.assertion[0] as number]
      return right > left || (right === left && isLater(a.assertion, b.assertion)) ? b : a
    })
  }
  return newest
}

/** Distinct values in the order in which they were last said; a list contributes its items. */
function unionOf(peers: Candidate[]): Json[] {
  const values = new Map<string, Json>()
  for (const { assertion } of [...peers].reverse()) {
    for (const value of Array.isArray(assertion[0]) ? assertion[0] : [assertion[0]])
      if (value !== null) values.set(canonical(value), value)
  }
  return [...values.values()]
}

function overruledBy(winner: Candidate, sorted: Candidate[]): Provenance['overruled'] {
  const winning = canonical(winner.assertion[0])
  const seen = new Set<string>()
  const overruled: Provenance['overruled'] = []
  for (const { assertion, source } of sorted) {
    const key = `${source} ${canonical(assertion[0])}`
    if (canonical(assertion[0]) === winning || seen.has(key)) continue
    seen.add(key)
    overruled.push({
      value: assertion[0],
      source,
      messageId: assertion[2],
      timestamp: new Date(assertion[1]).toISOString(),
    })
  }
  return overruled
}
