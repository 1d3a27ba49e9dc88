/** The session cookie. In: a request's header, or a token to set. Out: the token, or the header to answer with. */

const NAME = 'throughline_session'
/** Over https the name itself makes browsers refuse a cookie planted by another host or over plain http. */
const SECURE_NAME = `__Host-${NAME}`

export function readSessionCookie(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const pairs = header.split(';').map(pair => pair.trim())
  const find = (name: string) => pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1)
  return find(SECURE_NAME) ?? find(NAME)
}

/**
 * `isSecure`: the page that signs in was loaded over https, by the browser's own word in Origin; behind a proxy the
 * server itself cannot know, and need not trust the proxy's headers.
 */
export function sessionCookie(token: string, isSecure: boolean, maxAgeSeconds: number): string {
  const name = isSecure ? SECURE_NAME : NAME
  return `${name}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${isSecure ? '; Secure' : ''}`
}

export const isSecureOrigin = (origin: string | undefined): boolean => origin?.startsWith('https://') ?? false
