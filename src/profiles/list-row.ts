/** The few things that lists show and search of a profile. Pure. */
import type { Identifier } from '../spec/identifier.ts'
import type { Json } from '../spec/json.ts'

export interface ListRow {
  name: string | null
  email: string | null
  phone: string | null
  /** Lower-case text that searches look into. */
  search: string | null
}

const NAME_CHARACTERS_MAX = 300
const SEARCH_CHARACTERS_MAX = 2_000

/** `identifiers` in the order of their namespaces' priority. */
export function listRowOf(traits: { [trait: string]: Json }, identifiers: Identifier[]): ListRow {
  const text = (...names: string[]): string | null => {
    for (const name of names) {
      const value = traits[name]
      if (typeof value === 'string' && value.trim() !== '') return value.trim().slice(0, NAME_CHARACTERS_MAX)
    }
    return null
  }
  const identifier = (namespace: string) => identifiers.find(one => one.namespace === namespace)?.value ?? null
  const parts = [text('firstName', 'first_name', 'firstname'), text('lastName', 'last_name', 'lastname')].filter(
    part => part !== null,
  )
  const name = text('name', 'fullName', 'full_name') ?? (parts.length > 0 ? parts.join(' ') : null)
  const email = text('email') ?? identifier('email')
  const phone = text('phone') ?? identifier('phone')
  const searched = [
    name,
    email,
    phone,
    ...parts,
    text('company'),
    ...identifiers.filter(isSearched).map(one => one.value),
  ]
  const search = [...new Set(searched.filter(part => part !== null).map(part => part.toLowerCase()))].join(' ')
  return { name, email, phone, search: search === '' ? null : search.slice(0, SEARCH_CHARACTERS_MAX) }
}

/** Ids of browsers and devices would fill the index with what nobody types. */
const isSearched = ({ namespace }: Identifier) =>
  ['user_id', 'email', 'phone', 'loyalty_id', 'crm_contact', 'group_id'].includes(namespace)
