/** SQL expressions that lead from an event's identifier to its person, for questions to ClickHouse. Pure. */

/**
 * The profile (its representative's node) that an identifier led to at a time. `node` and `at` are SQL expressions of
 * UInt64 and DateTime64. Right as soon as a merge is projected: the dictionary of recent changes is asked first.
 */
export const personOf = (node: string, at: string): string =>
  `if((${mapped(node)} as mapped_profile) = 0, dictGetOrDefault('node_owner_range', 'profile', ${node}, ${at}, ${node}), mapped_profile)`

/** A node without an entry is its own profile; 0 stands for a device that several people shared. */
const mapped = (node: string): string =>
  `dictGetOrDefault('node_profile_new', 'profile', ${node}, dictGetOrDefault('node_profile_settled', 'profile', ${node}, ${node}))`
