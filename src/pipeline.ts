import type { Context } from './context.ts'
import { type Driver, openDriver, type ProcessedEvent, projectEvents } from './events/index.ts'
import { isEvent } from './spec/event.ts'

export function openPipeline(context: Context): Driver {
  return openDriver<ProcessedEvent[]>(context, {
    process: async (_client, batch) =>
      batch.groups.flatMap(group =>
        group.events.flatMap((event, ix) =>
          isEvent(event)
            ? { workspaceId: group.workspaceId, event, line: group.lines[ix] as string, node: 0, nodes: [], lane: group.lane, pos: group.pos, ix }
            : [],
        ),
      ),
    reprocess: async () => [],
    project: (block, rows) => projectEvents(context.clickhouse, block, rows),
    forget: () => {},
  })
}
