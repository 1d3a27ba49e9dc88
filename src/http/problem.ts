/** In: anything thrown. Out: the answer for it, `application/problem+json` (RFC 9457), which never shows a bug's insides. */
import { z } from 'zod'
import { type Fault, Problem, type ProblemCode, problemStatus } from '../errors.ts'
import { isConnectionLost } from '../store/postgres.ts'

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'
const FAULTS_MAX = 50
const UNAVAILABLE_RETRY_SECONDS = 1

export const problemSchema = z.object({
  type: z.string().describe('urn:throughline:problem:<code>'),
  title: z.string().describe('What kind of problem it is; the same for every occurrence.'),
  status: z.number().int(),
  code: z.enum(Object.keys(problemStatus) as [ProblemCode, ...ProblemCode[]]).describe('For programs to test.'),
  detail: z.string().describe('What happened, for people.'),
  hint: z.string().optional().describe('What to do about it.'),
  faults: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('What is wrong with each field; query.… and path.… are parts of the URL.'),
  errorId: z.string().optional().describe('Finds this failure in the log of the server.'),
})
export type ProblemBody = z.infer<typeof problemSchema>

const titles: Record<ProblemCode, string> = {
  invalid_request: 'The request is not valid',
  invalid_json: 'The body is not valid JSON',
  invalid_cursor: 'The cursor is not valid',
  not_signed_in: 'Nobody is signed in',
  invalid_credentials: 'The credentials are not valid',
  invalid_write_key: 'The write key is not valid',
  invalid_signature: 'The signature is not valid',
  forbidden: 'This is not allowed',
  csrf: 'The request came from elsewhere',
  not_found: 'There is no such thing here',
  source_disabled: 'The source is switched off',
  method_not_allowed: 'The method is not allowed here',
  conflict: 'This conflicts with what is stored',
  too_large: 'The request is too large',
  unsupported_media_type: 'The content type is not understood',
  unprocessable: 'The request cannot be carried out',
  locked_out: 'Too many failed attempts',
  rate_limited: 'Too many requests',
  overloaded: 'The server is overloaded',
  internal: 'Something went wrong inside',
  unavailable: 'The server cannot do this now',
}

export function problemBody(problem: Problem, errorId?: string): ProblemBody {
  return {
    type: `urn:throughline:problem:${problem.code}`,
    title: titles[problem.code],
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    ...(problem.faults === undefined ? {} : { faults: problem.faults }),
    ...(errorId === undefined ? {} : { errorId }),
  }
}

/** What a thrown value means to the client. A bug becomes `internal`, with nothing of its message. */
export function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error
  const code = textOf(error, 'code')
  const known = code === undefined ? undefined : frameworkProblems[code]
  if (known) return new Problem(known[0], known[1], { cause: error })
  if (error instanceof Error && isConnectionLost(error)) {
    return new Problem('unavailable', 'The database does not answer at the moment.', {
      hint: 'Nothing was changed. Try again shortly.',
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
      cause: error,
    })
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return error instanceof SyntaxError
      ? new Problem('invalid_json', 'The body could not be read as JSON.', { cause: error })
      : new Problem('invalid_request', 'The request could not be read.', { cause: error })
  }
  return new Problem('internal', 'The server failed at this request.', {
    hint: 'The log of the server says more under this errorId.',
    cause: error,
  })
}

/** What the web framework reports by code, in our words. */
const frameworkProblems: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than this address accepts.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'The body must be sent as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_json', 'The body could not be read as JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_json', 'The body is empty, but was announced as JSON.'],
  FST_ERR_BAD_URL: ['invalid_request', 'The address is not a valid URL.'],
}

/** Turns zod's issues into faults by field, under `prefix` (`query.`, `path.` or nothing for the body). */
export function faultsFrom(error: z.ZodError, prefix: string): Fault[] {
  return error.issues.slice(0, FAULTS_MAX).map(issue => ({
    path: `${prefix}${issue.path.map(String).join('.')}`.replace(/\.$/, ''),
    message: issue.message,
  }))
}

/**
 * What of a bug may stand in the log: where it happened, never the message of a database or parser error, since those
 * quote the data that they failed on.
 */
export function failureForLog(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { kind: typeof error }
  const isSafe = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError
  return {
    kind: error.name,
    code: textOf(error, 'code'),
    constraint: textOf(error, 'constraint'),
    ...(isSafe ? { message: error.message } : {}),
    at: (error.stack ?? '').split('\n').filter(line => line.startsWith('    at ')),
    ...(error.cause === undefined ? {} : { cause: failureForLog(error.cause) }),
  }
}

function textOf(error: unknown, key: string): string | undefined {
  const value = (error as Record<string, unknown> | null)?.[key]
  return typeof value === 'string' ? value : undefined
}
