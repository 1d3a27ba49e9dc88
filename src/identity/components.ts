/**
 * Who is one person: in, a region; out, its components and the edges that were refused, each with its rule. Kruskal's
 * algorithm: decisions first, newest before older, then aliases, claims on explicit nodes, links, each in the order of
 * its strength and time, and a union that a rule forbids is refused.
 */
import { nodeOf, type Vertex, type View } from './anchor.ts'
import type { StandingSplit } from './decision-book.ts'
import { effectOf } from './decision-effect.ts'
import { compareText, type NodeId } from './evidence.ts'
import type { GraphNode } from './graph.ts'
import { fits } from './limit.ts'
import type { Edge, Region } from './region.ts'

/** `split`: an operator keeps them apart · `unique`: both have a login · `limit`: together too many values. */
export type RefusalRule = 'split' | 'unique' | 'limit'

export interface Refusal extends Omit<Edge, 'fallback'> {
  rule: RefusalRule
  /** The namespace whose limit it is. */
  namespace?: string
}

export interface Components {
  /** The representative of the vertex's component; undefined for vertices outside the region. */
  representativeOf(vertex: Vertex): NodeId | undefined
  refusals: Refusal[]
}

interface Component {
  members: Vertex[]
  hasLogin: boolean
  /** Values of limited namespaces. */
  contacts: Map<string, Set<GraphNode>>
  /** Per forbidden pair the side that is in here: a component that holds one side never meets the other. */
  sides: Map<string, 'out' | 'rest'>
}

type Verdict = { rule: RefusalRule; namespace?: string } | undefined

export function solve(view: View, region: Region): Components {
  const forest = new Forest(view, region.vertices)
  const refused: Refusal[] = []
  /** Unites the ends of an edge; false when a rule forbids it. */
  const attempt = (edge: Edge, isForced: boolean): boolean => {
    const verdict = forest.unite(edge.u, edge.v, isForced)
    if (verdict) refused.push({ ...edge, ...verdict })
    return !verdict
  }
  obeyDecisions(view, region, forest, attempt)
  for (const edge of region.aliases) attempt(edge, true)
  for (const edge of region.claims) {
    // A part of a device that its claimer may not have is nobody's, never another login's.
    if (!attempt(edge, false) && edge.fallback !== undefined) forest.unite(edge.u, edge.fallback, true)
  }
  for (const edge of region.links) attempt(edge, false)
  return { representativeOf: forest.representatives(), refusals: distinct(refused, forest) }
}

function obeyDecisions(
  view: View,
  region: Region,
  forest: Forest,
  attempt: (edge: Edge, isForced: boolean) => boolean,
): void {
  const verticesOf = Map.groupBy(region.vertices, nodeOf)
  for (const decision of region.decisions) {
    if (decision.kind === 'split') {
      forest.forbid(decision, verticesOf)
      continue
    }
    const effect = effectOf(view.graph, decision)
    if (!effect || effect.kind === 'link') continue
    const [u, v] = effect.kind === 'claim' ? [effect.device, effect.by] : [effect.node, effect.with]
    const { at, id: messageId } = decision
    attempt({ kind: 'merge', u, v, a: u, b: v, at, messageId, source: 'operator', strength: 9 }, true)
  }
}

/** One refusal per pair of vertices, the first; none where they came together in another way. */
function distinct(refused: Refusal[], forest: Forest): Refusal[] {
  const first = new Map<string, Refusal>()
  for (const refusal of refused) {
    const pair = [refusal.u, refusal.v].sort().join(' ')
    if (!first.has(pair) && !forest.areUnited(refusal.u, refusal.v)) first.set(pair, refusal)
  }
  return [...first.values()]
}

class Forest {
  readonly #view: View
  readonly #parents = new Map<Vertex, Vertex>()
  readonly #components = new Map<Vertex, Component>()

  constructor(view: View, vertices: Iterable<Vertex>) {
    this.#view = view
    for (const vertex of vertices) {
      this.#parents.set(vertex, vertex)
      this.#components.set(vertex, this.#single(vertex))
    }
  }

  #single(vertex: Vertex): Component {
    const { graph } = this.#view
    const component: Component = { members: [vertex], hasLogin: false, contacts: new Map(), sides: new Map() }
    if (typeof vertex === 'string') return component
    const node = graph.node(vertex)
    if (node.rule.class === 'contact' && node.rule.limit !== undefined) {
      component.contacts.set(node.namespace, new Set([node]))
    }
    if (node.rule.class === 'login') {
      component.hasLogin = true
      for (const [namespace, rule] of Object.entries(graph.rules.namespaces)) {
        if (rule.class !== 'contact' || rule.limit === undefined) continue
        const held = this.#view.held(vertex, namespace)
        if (held.size > 0) component.contacts.set(namespace, new Set([...held].map(id => graph.node(id))))
      }
    }
    return component
  }

  #root(vertex: Vertex): Vertex {
    let root = vertex
    for (let up = this.#parentOf(root); up !== root; up = this.#parentOf(root)) root = up
    let below = vertex
    while (below !== root) {
      const next = this.#parentOf(below)
      this.#parents.set(below, root)
      below = next
    }
    return root
  }

  #parentOf(vertex: Vertex): Vertex {
    const parent = this.#parents.get(vertex)
    if (parent === undefined) throw new Error('identity: an edge leads out of its region')
    return parent
  }

  #component(root: Vertex): Component {
    return this.#components.get(root) as Component
  }

  areUnited(u: Vertex, v: Vertex): boolean {
    return this.#root(u) === this.#root(v)
  }

  /** Unites two components, or says which rule forbids it. A forced union obeys splits only. */
  unite(u: Vertex, v: Vertex, isForced: boolean): Verdict {
    const rootOfU = this.#root(u)
    const rootOfV = this.#root(v)
    if (rootOfU === rootOfV) return undefined
    const one = this.#component(rootOfU)
    const other = this.#component(rootOfV)
    const verdict = forbiddenBySplit(one, other) ?? (isForced ? undefined : this.#forbiddenByRules(one, other))
    if (verdict) return verdict
    const isOneLarger = one.members.length >= other.members.length
    const [into, from, root, child] = isOneLarger ? [one, other, rootOfU, rootOfV] : [other, one, rootOfV, rootOfU]
    this.#parents.set(child, root)
    this.#components.delete(child)
    for (const member of from.members) into.members.push(member)
    into.hasLogin ||= from.hasLogin
    for (const [pair, side] of from.sides) into.sides.set(pair, side)
    for (const [namespace, values] of from.contacts) {
      into.contacts.set(namespace, values.union(into.contacts.get(namespace) ?? new Set()))
    }
    return undefined
  }

  #forbiddenByRules(one: Component, other: Component): Verdict {
    if (one.hasLogin && other.hasLogin) return { rule: 'unique' }
    for (const [namespace, values] of one.contacts) {
      const others = other.contacts.get(namespace)
      if (others && !fits([...values.union(others)], this.#view.graph.ruleOf(namespace))) {
        return { rule: 'limit', namespace }
      }
    }
    return undefined
  }

  /** Forbids every pair of a split that newer decisions have not united. */
  forbid(split: StandingSplit, verticesOf: Map<NodeId, Vertex[]>): void {
    for (const out of split.out) {
      for (const rest of split.rest) {
        const outVertices = verticesOf.get(out) ?? []
        const restVertices = verticesOf.get(rest) ?? []
        if (outVertices.some(u => restVertices.some(v => this.areUnited(u, v)))) continue
        const pair = `${split.id} ${out} ${rest}`
        for (const vertex of outVertices) this.#component(this.#root(vertex)).sides.set(pair, 'out')
        for (const vertex of restVertices) this.#component(this.#root(vertex)).sides.set(pair, 'rest')
      }
    }
  }

  /** Looks up the representative of a vertex's component. */
  representatives(): (vertex: Vertex) => NodeId | undefined {
    const representatives = new Map<Vertex, NodeId>()
    for (const [root, { members }] of this.#components) {
      const nodes = members.map(member => this.#view.graph.node(nodeOf(member)))
      const best = nodes.reduce((x, y) => (byRepresentation(x, y) <= 0 ? x : y))
      representatives.set(root, best.id)
    }
    return vertex => (this.#parents.has(vertex) ? representatives.get(this.#root(vertex)) : undefined)
  }
}

function forbiddenBySplit(one: Component, other: Component): Verdict {
  const [few, many] = one.sides.size < other.sides.size ? [one, other] : [other, one]
  for (const [pair, side] of few.sides) {
    const opposite = many.sides.get(pair)
    if (opposite !== undefined && opposite !== side) return { rule: 'split' }
  }
  return undefined
}

const classRank = { login: 0, contact: 1, device: 2, none: 3 }

/** Login before contact before device, then the first seen: an id given to a login never passes to another person. */
export const byRepresentation = (x: GraphNode, y: GraphNode): number =>
  classRank[x.rule.class] - classRank[y.rule.class] || x.firstSeenAt - y.firstSeenAt || compareText(x.key, y.key)
