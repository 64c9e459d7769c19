import type * as z from 'zod/mini'
import { Fault } from '../errors/fault.ts'
import { dataSchemas } from './catalogue.ts'
import type { Event } from './event.ts'

type Known = keyof typeof dataSchemas

/**
 * An event with data of its type's schema.
 * @throws Fault `event.data-invalid` where the data does not fit.
 */
export function parseData<Type extends Known>(event: Event, type: Type): z.infer<(typeof dataSchemas)[Type]> {
  const parsed = dataSchemas[type].safeParse(event.data)
  if (!parsed.success) {
    const first = parsed.error.issues[0]
    throw new Fault('event.data-invalid', `${type}: ${first?.path.join('.') || 'data'}: ${first?.message ?? 'invalid'}`)
  }
  return parsed.data as z.infer<(typeof dataSchemas)[Type]>
}
