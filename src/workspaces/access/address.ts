/** Who tries, as far as limits are concerned. In: a peer's address or an e-mail. Out: the text that failures are counted under. */

/** One household or server usually has a whole /64 of IPv6, so its addresses count as one. */
const IPV6_GROUPS = 4

export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1]) return `address:${mapped[1]}`
  return `address:${address.includes(':') ? networkOf(address) : address}`
}

export const emailKey = (email: string): string => `email:${email}`

function networkOf(address: string): string {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const left = head.split(':').filter(group => group !== '')
  const right = tail === undefined ? [] : tail.split(':').filter(group => group !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...zeros, ...right]
    .slice(0, IPV6_GROUPS)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')
}
