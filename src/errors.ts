/**
 * Expected failures. Each has a code that programs can test, an HTTP status, a sentence that a user understands and,
 * where there is one, a hint that gets them out. A bug is an ordinary `Error` and is answered as 500.
 */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly hint: string | undefined
  /** Per field: what is wrong with it. */
  readonly faults: Fault[] | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = problemStatus[code]
    this.hint = options.hint
    this.faults = options.faults
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

export interface Fault {
  /** Path of the field, `a.b.0`. */
  path: string
  message: string
}

interface ProblemOptions {
  hint?: string
  faults?: Fault[]
  retryAfterSeconds?: number
  cause?: unknown
}

/** Every code that the API can answer, with its status. */
export const problemStatus = {
  invalid_request: 400,
  invalid_json: 400,
  invalid_cursor: 400,
  not_signed_in: 401,
  invalid_credentials: 401,
  invalid_write_key: 401,
  invalid_signature: 401,
  forbidden: 403,
  csrf: 403,
  not_found: 404,
  source_disabled: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  locked_out: 429,
  rate_limited: 429,
  overloaded: 429,
  internal: 500,
  unavailable: 503,
} as const
export type ProblemCode = keyof typeof problemStatus

/** The program cannot start; `message` and `hint` are for the person at the terminal. */
export class StartError extends Error {
  readonly hint: string | undefined
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'StartError'
    this.hint = options.hint
  }
}
