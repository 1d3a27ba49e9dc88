import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { failureForLog, faultsFrom, problemBody, problemFrom, problemSchema } from './problem.ts'

const SECRET = 'ada@example.com'

describe('an answer for a failure', () => {
  it('has the shape that the document promises, for every kind of thrown value', () => {
    const thrown = [
      new Problem('conflict', 'Taken.', { hint: 'Choose another.', faults: [{ path: 'name', message: 'taken' }] }),
      new Error(SECRET),
      new SyntaxError(SECRET),
      Object.assign(new Error('x'), { statusCode: 400 }),
      Object.assign(new SyntaxError('x'), { statusCode: 400 }),
      Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
      Object.assign(new Error('x'), { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }),
      'text',
      null,
      undefined,
    ]
    const codes = thrown.map(error => problemSchema.strict().parse(problemBody(problemFrom(error), 'id')).code)
    expect(codes).toEqual([
      'conflict',
      'internal',
      'internal',
      'invalid_request',
      'invalid_json',
      'unavailable',
      'too_large',
      'internal',
      'internal',
      'internal',
    ])
  })

  it('says nothing of what a bug said', () => {
    const body = problemBody(problemFrom(new Error(`duplicate key (email)=(${SECRET})`)), 'the-id')
    expect(JSON.stringify(body)).not.toContain(SECRET)
    expect(body.errorId).toBe('the-id')
  })
})

describe('the log of a failure', () => {
  it('says where, but quotes no message of a database or a parser', () => {
    const cause = Object.assign(new Error(`Key (email)=(${SECRET}) already exists`), { code: '23505', constraint: 'c' })
    const logged = failureForLog(new Error(`could not store ${SECRET}`, { cause }))
    expect(JSON.stringify(logged)).not.toContain(SECRET)
    expect(logged).toMatchObject({ kind: 'Error', cause: { code: '23505', constraint: 'c' } })
    expect((logged.at as string[])[0]).toContain('problem.test.ts')
  })
  it('keeps the message of a mistake in the code, which tells nothing of the data', () => {
    expect(failureForLog(new TypeError('x is not a function')).message).toBe('x is not a function')
  })
})

describe('faults', () => {
  it('name the field, wherever it is, and stop at a limit', () => {
    const shape = z.object({ a: z.object({ b: z.array(z.number()) }) })
    const wrong = shape.safeParse({ a: { b: [1, 'two'] } })
    expect(faultsFrom(wrong.error as z.ZodError, '')).toMatchObject([{ path: 'a.b.1' }])
    expect(faultsFrom(z.string().safeParse(1).error as z.ZodError, 'query.')).toMatchObject([{ path: 'query' }])
    const many = z.array(z.number()).safeParse(Array.from({ length: 1_000 }, () => 'x'))
    expect(faultsFrom(many.error as z.ZodError, '')).toHaveLength(50)
  })
})
