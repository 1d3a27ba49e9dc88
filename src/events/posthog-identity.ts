/** Who an event of PostHog belongs to. In: its fields. Out: a user id, an anonymous id, both, or nobody. Pure. */
import type { Json, JsonObject } from '../spec/json.ts'

export interface Who {
  userId?: Json
  anonymousId?: Json
  /** The event describes a group and belongs to no person. */
  isNobodys?: boolean
}

/** Stands in for the id of everyone who browses without cookies: it would make one person of all of them. */
const COOKIELESS = '$posthog_cookieless'

/**
 * PostHog has one `distinct_id` for both kinds of people. It names a known user unless the event says otherwise, which it
 * can in four ways: `$is_identified: false` (browsers), `$device_id` equal to the distinct_id (a browser before its first
 * identify), `$process_person_profile: false` ("anonymous events"), or the stand-in of cookieless mode.
 */
export function whoIs(item: JsonObject, properties: JsonObject, options: JsonObject): Who {
  const distinctId = item.distinct_id ?? item.$distinct_id ?? properties.distinct_id
  if (distinctId === undefined || distinctId === null || distinctId === COOKIELESS) return {}
  if (item.event === '$groupidentify' && distinctId === `$${properties.$group_type}_${properties.$group_key}`) {
    return { isNobodys: true }
  }
  if (isAnonymous(distinctId, item, properties, options)) return { anonymousId: distinctId }
  const device = properties.$anon_distinct_id ?? properties.$device_id
  return device === undefined || device === null || device === distinctId
    ? { userId: distinctId }
    : { userId: distinctId, anonymousId: device }
}

/** These name a user by what they are. */
const identifying: ReadonlySet<unknown> = new Set(['$identify', '$create_alias', '$merge_dangerously'])

function isAnonymous(distinctId: Json, item: JsonObject, properties: JsonObject, options: JsonObject): boolean {
  if (identifying.has(item.event) || properties.$is_identified === true) return false
  if (properties.$is_identified === false || properties.$device_id === distinctId) return true
  return properties.$process_person_profile === false || options.process_person_profile === false
}
