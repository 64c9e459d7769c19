import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { requestId } from './request-id.ts'

test('an id is a UUID of version 7 that says when', () => {
  const id = requestId(new Date(0x0123_4567_89ab), () => new Uint8Array(16).fill(0xff))
  expect(id).toBe('01234567-89ab-7fff-bfff-ffffffffffff')
  expect(z.uuidv7().safeParse(id).success).toBe(true)
})

test('ids of the same moment differ, ids of later moments sort later', () => {
  const ids = Array.from({ length: 100 }, () => requestId(new Date(1_000), randomBytes))
  expect(new Set(ids).size).toBe(100)
  const later = requestId(new Date(1_001), randomBytes)
  expect(ids.every((id) => id < later)).toBe(true)
})
