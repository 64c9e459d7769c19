import { expect, test } from 'vitest'
import { LineFull, WaitingLine } from './waiting-line.ts'

const signal = new AbortController().signal

test('who waits is let in by priority, then by arrival', async () => {
  const line = new WaitingLine(1, 10)
  const order: string[] = []
  const leave = await line.enter(signal)
  const guests = (['first', 'second', 'urgent'] as const).map(async (name) => {
    const done = await line.enter(signal, name === 'urgent' ? -1 : 0)
    order.push(name)
    done()
  })
  leave()
  await Promise.all(guests)
  expect(order).toEqual(['urgent', 'first', 'second'])
  expect([line.running, line.waiting]).toEqual([0, 0])
})

test('leaving twice frees one slot', async () => {
  const line = new WaitingLine(2, 10)
  const leave = await line.enter(signal)
  await line.enter(signal)
  leave()
  leave()
  expect(line.running).toBe(1)
})

test('a full line refuses, one who gives up is out of it', async () => {
  const line = new WaitingLine(1, 2)
  const leave = await line.enter(signal)
  const patience = new AbortController()
  const second = line.enter(patience.signal)
  await expect(line.enter(signal)).rejects.toThrow(LineFull)
  patience.abort(new Error('enough'))
  await expect(second).rejects.toThrow('enough')
  expect(line.waiting).toBe(0)
  leave()
  await expect(line.enter(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
  expect(line.running).toBe(0)
})
