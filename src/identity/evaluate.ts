/**
 * A dry run of changed rules: in, everything that happened, read under the new rules, and who is who now; out, how many
 * people would become one, how many would part, and examples. Everything is resolved anew in memory, so it tells exactly
 * what applying the rules would do, at some 1 kB per identifier.
 */
import { type Identifier, type IdentityRules, identifierKey, normaliseIdentifier } from '../spec/identifier.ts'
import type { NodeId } from './evidence.ts'
import { IdentityInMemory } from './in-memory.ts'
import { profileLedTo } from './publish.ts'
import type { IdentityInput } from './resolve-batch.ts'

export interface RulesEvaluation {
  profilesBefore: number
  profilesAfter: number
  /** Profiles of today that would go up in another. */
  merged: number
  /** Profiles of today whose identifiers would belong to several. */
  split: number
  /** Identifiers of today that would be none. */
  dropped: number
  samples: { merged: EvaluationSample[]; split: EvaluationSample[] }
}

/** Some identifiers, by the profile they are in now (`before`) and would be in (`after`), each named by a letter. */
export type EvaluationSample = { identifier: Identifier; before: string; after: string }[]

export interface CurrentIdentifier extends Identifier {
  /** Anything that names its profile. */
  profile: NodeId
}

const samplesMax = 20
const identifiersPerSampleMax = 10
/** About as many as fit into the memory of one process. */
export const evaluatedIdentifiersMax = 2_000_000

export type EvaluationFault = 'too_large'

/**
 * `inputs` gives everything from the beginning, extracted under `rules`, each time it is called; `current` gives every
 * identifier of a person with the profile it leads to now, each time it is called.
 */
export async function evaluateRules(
  rules: IdentityRules,
  inputs: () => AsyncIterable<IdentityInput[]>,
  current: () => AsyncIterable<CurrentIdentifier[]>,
): Promise<RulesEvaluation | EvaluationFault> {
  const identity = new IdentityInMemory(rules)
  await identity.resolveAll(async function* () {
    for await (const batch of inputs()) if (identity.graph.size <= evaluatedIdentifiersMax) yield batch
  })
  if (identity.graph.size > evaluatedIdentifiersMax) return 'too_large'
  const profileAfter = ({ namespace, value }: Identifier): NodeId | undefined => {
    const normal = normaliseIdentifier({ namespace, value }, rules)
    const node = normal && identity.graph.find(normal)
    return node && Number.isFinite(node.firstSeenAt) ? profileLedTo(identity.graph, node.id) : undefined
  }
  const comparison = new Comparison(profileAfter)
  for await (const page of current()) for (const one of page) comparison.add(one)
  const wanted = comparison.sampled()
  for await (const page of current()) for (const one of page) wanted.add(one)
  return { ...comparison.counts(), samples: wanted.samples() }
}

class Comparison {
  readonly #profileAfter: (identifier: Identifier) => NodeId | undefined
  /** Where the identifiers of each profile go, and where they come from. */
  readonly #after = new Fans()
  readonly #before = new Fans()
  #dropped = 0

  constructor(profileAfter: (identifier: Identifier) => NodeId | undefined) {
    this.#profileAfter = profileAfter
  }

  add(one: CurrentIdentifier): void {
    const after = this.#profileAfter(one)
    if (after === undefined) {
      this.#dropped += 1
      return
    }
    this.#after.add(one.profile, after)
    this.#before.add(after, one.profile)
  }

  counts(): Omit<RulesEvaluation, 'samples'> {
    return {
      profilesBefore: this.#after.size,
      profilesAfter: this.#before.size,
      merged: this.#before.wide.values().reduce((sum, ends) => sum + ends.size - 1, 0),
      split: this.#after.wide.size,
      dropped: this.#dropped,
    }
  }

  /** Collects the identifiers of the first few profiles that would change. */
  sampled(): Samples {
    const first = (fans: Fans) => new Set(fans.wide.keys().take(samplesMax))
    return new Samples(this.#profileAfter, first(this.#before), first(this.#after))
  }
}

/** Which ends each profile leads to; a set is made only for those with several, for nearly all have one. */
class Fans {
  readonly #first = new Map<NodeId, NodeId>()
  readonly wide = new Map<NodeId, Set<NodeId>>()

  get size(): number {
    return this.#first.size
  }

  add(from: NodeId, to: NodeId): void {
    const first = this.#first.get(from)
    if (first === undefined) this.#first.set(from, to)
    else if (first !== to) this.wide.set(from, (this.wide.get(from) ?? new Set([first])).add(to))
  }
}

class Samples {
  readonly #profileAfter: (identifier: Identifier) => NodeId | undefined
  readonly #merged: Map<NodeId, EvaluationSample>
  readonly #split: Map<NodeId, EvaluationSample>

  constructor(profileAfter: (identifier: Identifier) => NodeId | undefined, merged: Set<NodeId>, split: Set<NodeId>) {
    this.#profileAfter = profileAfter
    this.#merged = new Map([...merged].map(profile => [profile, []]))
    this.#split = new Map([...split].map(profile => [profile, []]))
  }

  add(one: CurrentIdentifier): void {
    const after = this.#profileAfter(one)
    if (after === undefined) return
    const shown = {
      identifier: { namespace: one.namespace, value: one.value },
      before: String(one.profile),
      after: String(after),
    }
    for (const sample of [this.#merged.get(after), this.#split.get(one.profile)]) {
      if (sample && sample.length < identifiersPerSampleMax) sample.push(shown)
    }
  }

  samples(): RulesEvaluation['samples'] {
    return { merged: [...this.#merged.values()].map(lettered), split: [...this.#split.values()].map(lettered) }
  }
}

/** Profiles by letters in order of appearance: the new ones have no id that anyone could look up yet. */
function lettered(sample: EvaluationSample): EvaluationSample {
  const naming = () => {
    const names = new Map<string, string>()
    return (profile: string) => {
      const name = names.get(profile) ?? String.fromCharCode(65 + names.size)
      names.set(profile, name)
      return name
    }
  }
  const [before, after] = [naming(), naming()]
  return sample
    .toSorted((x, y) => (identifierKey(x.identifier) < identifierKey(y.identifier) ? -1 : 1))
    .map(shown => ({ ...shown, before: before(shown.before), after: after(shown.after) }))
}
