/**
 * Changed rules, applied to all that ever happened: in, everything from the beginning, read under the new rules; out,
 * the rows of identity replaced in one transaction, and what the map must learn. While it works, everybody reads the
 * old state; nodes keep their numbers, so events that are stored need not be touched unless their identifiers changed.
 */
import type { Identifier, IdentityRules } from '../spec/identifier.ts'
import type { Queryable } from '../store/postgres.ts'
import { evaluatedIdentifiersMax } from './evaluate.ts'
import { type Evidence, type NodeId, type NodeRecord, nobody } from './evidence.ts'
import { EvidenceGraph, type GraphNode } from './graph.ts'
import { RefusalBook, untilComplete } from './in-memory.ts'
import { publicIdOf } from './profile-id.ts'
import type { MapChange } from './project.ts'
import { publishedOf } from './publish.ts'
import { NodeNumbers } from './resolve.ts'
import { type IdentityInput, type ResolvedEvent, resolveBatch } from './resolve-batch.ts'
import { type LoadRequest, runSteps } from './step.ts'
import {
  deleteResolution,
  findNodes,
  insertEvidence,
  insertNodes,
  insertRefusals,
  replaceOwners,
  type StoredNode,
  updateNodes,
} from './store.ts'
import { readDecisionIds, updateDecisions } from './store-decisions.ts'
import { readMap, readNodePage } from './store-members.ts'

const rowsPerStatement = 5_000

export interface RebuildOptions {
  workspaceId: number
  identityKey: Uint8Array
  rules: IdentityRules
  /** Some 1 kB each. Default: as many as a dry run resolves. */
  identifiersMax?: number
}

/** There are more identifiers than fit into the memory of one process. */
export class TooManyIdentifiers extends Error {}

/** A workspace resolved anew, in memory. */
export interface Rebuilt {
  options: RebuildOptions
  graph: EvidenceGraph
  refusals: RefusalBook
  /** Node numbers that PostgreSQL does not know yet. */
  newNodes: Set<NodeId>
}

/**
 * Resolves everything anew. `batches` gives all inputs, decisions among them, from the beginning each time it is called,
 * and must end at the same place each time: the caller holds the pipeline there until `writeRebuilt` is committed.
 */
export async function rebuildIdentity(
  client: Queryable,
  options: RebuildOptions,
  batches: () => AsyncIterable<IdentityInput[]>,
): Promise<Rebuilt> {
  const rebuilt: Rebuilt = {
    options,
    graph: new EvidenceGraph(options.rules),
    refusals: new RefusalBook(),
    newNodes: new Set(),
  }
  const numbers = new NodeNumbers(options)
  const identifiersMax = options.identifiersMax ?? evaluatedIdentifiersMax
  await untilComplete(batches, async batch => {
    if (rebuilt.graph.size > identifiersMax) throw new TooManyIdentifiers()
    let isContested = false
    const outcome = await runSteps(resolveBatch(rebuilt.graph, batch), request => {
      isContested ||= request.kind === 'history'
      return answer(client, rebuilt, numbers, request)
    })
    rebuilt.refusals.replace(outcome.refusals)
    return isContested
  })
  return rebuilt
}

/** Whom events belong to that were among the batches, once everything is resolved. */
export const resolveAgain = async (rebuilt: Rebuilt, batch: IdentityInput[]): Promise<ResolvedEvent[]> =>
  (await runSteps(resolveBatch(rebuilt.graph, batch), newToRebuild)).events

const newToRebuild = async (): Promise<never> => {
  throw new Error('identity: an event was not among those that were rebuilt')
}

/** The nodes of identifiers, as far as there are any. */
export async function findNumbers(
  client: Queryable,
  { workspaceId, identityKey }: RebuildOptions,
  identifiers: Identifier[],
): Promise<NodeId[]> {
  const publicIds = identifiers.map(identifier => publicIdOf(identityKey, identifier))
  return (await findNodes(client, workspaceId, publicIds)).map(node => node.id)
}

/** Every node begins without evidence, whether PostgreSQL knows its number or not. */
async function answer(client: Queryable, rebuilt: Rebuilt, numbers: NodeNumbers, request: LoadRequest): Promise<void> {
  if (request.kind === 'load') throw new Error('identity: a rebuild forgets nothing')
  if (request.kind === 'history') {
    request.answer([])
    return
  }
  const found = await numbers.find(client, request.identifiers)
  for (const { record, isNew } of found) if (isNew) rebuilt.newNodes.add(record.id)
  request.answer(found.map(({ record }) => ({ record: asUnseen(record), isNew: true })))
}

const asUnseen = ({ id, namespace, value }: NodeRecord): NodeRecord => ({
  ...{ id, namespace, value },
  ...{ firstSeenAt: Number.POSITIVE_INFINITY, profile: id },
})

/** Replaces a workspace's identity, within the caller's transaction. Returns every node that now leads elsewhere. */
export async function writeRebuilt(client: Queryable, rebuilt: Rebuilt): Promise<MapChange[]> {
  const { graph, options } = rebuilt
  const { workspaceId } = options
  const changes = await changesOf(client, rebuilt)
  await deleteResolution(client, workspaceId)
  for (const nodes of chunks(graph.nodes())) {
    const publicIds = (node: GraphNode): StoredNode => ({ ...node, publicId: publicIdOf(options.identityKey, node) })
    await insertNodes(client, workspaceId, nodes.filter(node => rebuilt.newNodes.has(node.id)).map(publicIds))
    await updateNodes(client, workspaceId, nodes)
    await replaceOwners(
      client,
      workspaceId,
      nodes.map(node => ({ node: node.id, after: publishedOf(node) })),
    )
    const evidence = nodes.flatMap(node => evidenceAt(node))
    for (const rows of Map.groupBy(evidence, row => row.kind).values()) {
      for (const some of chunks(rows.values())) await insertEvidence(client, workspaceId, some)
    }
  }
  for (const rows of chunks(rebuilt.refusals.all().values())) {
    await insertRefusals(client, workspaceId, rows)
  }
  const decisions = await readDecisionIds(client, workspaceId)
  await updateDecisions(
    client,
    workspaceId,
    decisions.map(id => ({ id, standing: graph.decisions.find(id) })),
  )
  return changes
}

/** Where nodes lead that led elsewhere before. Identifiers that are none any more stand alone, unseen. */
async function changesOf(client: Queryable, { options, graph, newNodes }: Rebuilt): Promise<MapChange[]> {
  const { workspaceId } = options
  const changes: MapChange[] = []
  for (let after = nobody; ; ) {
    const page = await readNodePage(client, workspaceId, after, rowsPerStatement)
    const last = page.at(-1)
    if (!last) break
    const before = new Map(
      (
        await readMap(
          client,
          workspaceId,
          page.map(node => node.id),
        )
      ).map(one => [one.node, one]),
    )
    const dropped = page.filter(node => !graph.isListed(node.id)).map(asUnseen)
    await updateNodes(client, workspaceId, dropped)
    for (const { id } of page) {
      const published = graph.isListed(id) ? publishedOf(graph.node(id)) : { profile: id, owners: [] }
      const change = { node: id, profile: published.profile, owners: published.owners }
      if (JSON.stringify(before.get(id)) !== JSON.stringify(change)) changes.push(change)
    }
    after = last.id
  }
  for (const id of newNodes) {
    const { profile, owners } = publishedOf(graph.node(id))
    if (profile !== id) changes.push({ node: id, profile, owners })
  }
  return changes
}

/** Each row once: from the node that was claimed, the first end of a link, the login that says it was another. */
function evidenceAt({ id, evidence }: GraphNode): Evidence[] {
  if (!evidence) return []
  const links = [...evidence.links.values()].flat().filter(link => link.a === id)
  return [...evidence.claims, ...links, ...evidence.aliases.values().filter(alias => alias.a === id)]
}

function* chunks<Item>(items: Iterable<Item>): Generator<Item[]> {
  let chunk: Item[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length === rowsPerStatement) {
      yield chunk
      chunk = []
    }
  }
  if (chunk.length > 0) yield chunk
}
