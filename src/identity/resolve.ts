/**
 * The pipeline's second stage: in, events with their identifiers, and decisions; out, whom each event belongs to and
 * what changed, read from and written to PostgreSQL. One process per workspace does this at a time (the holder of the
 * pipeline's lease), which is why it may remember what it has read.
 */
import type { Identifier, IdentityRules } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import type { Evidence, NodeId } from './evidence.ts'
import { EvidenceGraph, type GraphNode } from './graph.ts'
import { publicIdOf } from './profile-id.ts'
import type { MapChange } from './project.ts'
import { type BatchOutcome, type IdentityInput, resolveBatch, standing } from './resolve-batch.ts'
import { type FoundNode, type HistoryEvent, type LoadRequest, runSteps } from './step.ts'
import {
  deleteEvidence,
  findNodes,
  insertEvidence,
  insertNodes,
  loadEvidence,
  nodeNumbersPerBlock,
  replaceOwners,
  replaceRefusals,
  takeNodeNumbers,
  updateNodes,
} from './store.ts'
import { readDecisions, writeDecision } from './store-decision-book.ts'

/** Nodes held between batches, some 1 kB each. */
const cachedNodesMax = 200_000

export interface IdentityOptions {
  workspaceId: number
  /** The workspace's secret, under which public ids are hashed. */
  identityKey: Uint8Array
  rules: IdentityRules
  /**
   * Every past event (of resolved batches, projected or not) that carried this device, whose hub is the device or one
   * of these partners. Asked for once, when a second login claims the device.
   */
  fullHistory(device: NodeId, partners: NodeId[]): Promise<HistoryEvent[]>
  cachedNodesMax?: number
}

/** What a batch comes to. Valid once `write` has been committed. */
export interface Resolved extends BatchOutcome {
  /** For the map from nodes to profiles: every node that now leads elsewhere. */
  mapChanges: MapChange[]
  profileOf(eventIndex: number): NodeId
}

export interface Identity {
  /** Resolves a batch in order; reads only. A batch whose `write` is not committed must be followed by `forget`. */
  resolve(client: Queryable, batch: IdentityInput[]): Promise<Resolved>
  /** Writes what `resolve` found, within the caller's transaction. */
  write(client: Queryable, resolved: Resolved): Promise<void>
  /** Drops what is remembered: the lease was lost, or a transaction failed. */
  forget(): void
}

export function openIdentity(options: IdentityOptions): Identity {
  const { workspaceId, rules } = options
  const numbers = new NodeNumbers(options)
  let graph: EvidenceGraph | undefined
  return {
    async resolve(client, batch) {
      try {
        graph ??= await openGraph(client, workspaceId, rules)
        graph.forgetOldest(options.cachedNodesMax ?? cachedNodesMax)
        const steps = resolveBatch(graph, batch)
        return resolved(await runSteps(steps, request => answer(client, options, numbers, request)))
      } catch (error) {
        graph = undefined
        throw error
      }
    },
    async write(client, outcome) {
      if (!graph) throw new Error('identity: write follows resolve, with nothing forgotten in between')
      await writeOutcome(client, options, graph, outcome)
    },
    forget() {
      graph = undefined
    },
  }
}

/** A graph that knows nothing but the decisions. */
export async function openGraph(client: Queryable, workspaceId: number, rules: IdentityRules): Promise<EvidenceGraph> {
  const graph = new EvidenceGraph(rules)
  const { standing: decisions, undone } = await readDecisions(client, workspaceId)
  for (const decision of decisions) graph.decisions.put(decision)
  for (const id of undone) graph.decisions.undo(id)
  return graph
}

/** Answers what pure code asks for from PostgreSQL. */
async function answer(
  client: Queryable,
  { workspaceId, fullHistory }: IdentityOptions,
  numbers: NodeNumbers,
  request: LoadRequest,
): Promise<void> {
  if (request.kind === 'load') request.answer(await loadEvidence(client, workspaceId, request.nodes))
  else if (request.kind === 'history') request.answer(await fullHistory(request.device, request.partners))
  else request.answer(await numbers.find(client, request.identifiers))
}

/** The numbers of nodes: those that PostgreSQL knows, and new ones for the others. */
export class NodeNumbers {
  readonly #workspaceId: number
  readonly #identityKey: Uint8Array
  #next = 0
  #left = 0

  constructor({ workspaceId, identityKey }: Pick<IdentityOptions, 'workspaceId' | 'identityKey'>) {
    this.#workspaceId = workspaceId
    this.#identityKey = identityKey
  }

  async find(client: Queryable, identifiers: Identifier[]): Promise<FoundNode[]> {
    const publicIds = identifiers.map(identifier => publicIdOf(this.#identityKey, identifier))
    const stored = new Map((await findNodes(client, this.#workspaceId, publicIds)).map(node => [node.publicId, node]))
    const found: FoundNode[] = []
    for (const [index, { namespace, value }] of identifiers.entries()) {
      const known = stored.get(publicIds[index] ?? '')
      if (known) {
        found.push({ record: known, isNew: false })
        continue
      }
      const id = await this.#take(client)
      found.push({ record: { id, namespace, value, firstSeenAt: Number.POSITIVE_INFINITY, profile: id }, isNew: true })
    }
    return found
  }

  async #take(client: Queryable): Promise<NodeId> {
    if (this.#left === 0) {
      this.#next = await takeNodeNumbers(client)
      this.#left = nodeNumbersPerBlock
    }
    this.#left -= 1
    this.#next += 1
    return this.#next - 1
  }
}

function resolved(outcome: BatchOutcome): Resolved {
  const mapChanges = outcome.changes
    .filter(({ node, before, after }) => before !== undefined || after.profile !== node)
    .map(({ node, after }) => ({ node, profile: after.profile, owners: after.owners }))
  return {
    ...outcome,
    mapChanges,
    profileOf: eventIndex => outcome.events[eventIndex]?.profile ?? 0,
  }
}

async function writeOutcome(
  client: Queryable,
  { workspaceId, identityKey }: IdentityOptions,
  graph: EvidenceGraph,
  outcome: Resolved,
): Promise<void> {
  const newNodes = new Set(outcome.newNodes)
  const changed = new Set([...outcome.seenEarlier, ...outcome.changes.map(change => graph.node(change.node))])
  const stored = (node: GraphNode) => ({ ...recordOf(node), publicId: publicIdOf(identityKey, node) })
  await insertNodes(client, workspaceId, [...newNodes].map(stored))
  await updateNodes(client, workspaceId, [...changed.difference(newNodes)].map(recordOf))
  const byKind = (rows: Set<Evidence>) => Map.groupBy(rows, row => row.kind).values()
  for (const rows of byKind(outcome.rows.removed)) await deleteEvidence(client, workspaceId, rows)
  for (const rows of byKind(outcome.rows.added)) await insertEvidence(client, workspaceId, rows)
  await replaceOwners(client, workspaceId, outcome.changes)
  await replaceRefusals(client, workspaceId, outcome.refusals)
  for (const decision of outcome.decisions) {
    const taken = decision.kind === 'undo' ? undefined : standing(graph, decision)
    await writeDecision(client, workspaceId, decision, taken)
  }
}

const recordOf = ({ id, namespace, value, firstSeenAt, profile }: GraphNode) => ({
  ...{ id, namespace, value, firstSeenAt, profile },
})
