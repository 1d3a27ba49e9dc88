import { z } from 'zod'

/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | Json[] | JsonObject
export type JsonObject = { [key: string]: Json | undefined }

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Described as "anything": a recursive schema would cost time on every answer and say no more. */
export const jsonSchema = z.custom<Json>(() => true)
