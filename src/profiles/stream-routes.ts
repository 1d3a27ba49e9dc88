/** HTTP of the live view. */
import { Readable } from 'node:stream'
import { z } from 'zod'
import { answer, content, route } from '../http/route.ts'
import { eventTypes } from '../spec/event.ts'
import { openStream } from './stream.ts'

const NAME_CHARACTERS_MAX = 500

export const streamRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/stream',
    summary: 'What arrives, as it is processed: server-sent events',
    description:
      '`processed`: an event with the profile it belongs to (null: nobody) · `rejected`: one that was refused, left out ' +
      'where type or event is asked for · `skipped`: how many were not shown, because there were more than 100 a second ' +
      'or the listener was slow. Begins with now; a look, not a feed: whoever needs every event reads profiles’ events. ' +
      'Ends after an hour at the latest: connect again.',
    tag: 'events',
    access: 'viewer',
    query: z.object({
      source: z.string().max(NAME_CHARACTERS_MAX).optional(),
      type: z.enum(eventTypes).optional(),
      event: z.string().max(NAME_CHARACTERS_MAX).optional().describe('The name of a track.'),
    }),
    responses: { 200: content('text/event-stream') },
    errors: ['overloaded'],
    handle: async ({ context, actor, query, signal }) => {
      const text = await openStream(context, { workspaceId: actor.workspaceId, filter: query, signal })
      // Proxies that gather answers would show nothing for minutes.
      return answer(200, Readable.from(text, { highWaterMark: 1 }), { 'x-accel-buffering': 'no' })
    },
  }),
] as const
