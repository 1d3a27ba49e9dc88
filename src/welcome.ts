/** What the terminal shows once the server runs. Pure. */
import type { FirstStart } from './workspaces/index.ts'

export function welcome(url: string, first: FirstStart): string {
  const lines = ['', `Throughline runs on ${url}`, '']
  if (first.isNew && first.adminPassword) {
    lines.push(
      `  Sign in with   ${first.adminEmail}`,
      `  and password   ${first.adminPassword}   (shown this once; change it after the first sign-in)`,
    )
  } else if (first.isNew) lines.push(`  Sign in with   ${first.adminEmail} and the password you set`)
  if (first.writeKey) lines.push(`  Write key      ${first.writeKey}`)
  lines.push('', 'Ctrl-C stops it.', '', '')
  return lines.join('\n')
}
