import { randomUUID } from 'node:crypto'
import { backOff } from './back-off.ts'
import type { Clock } from './clock.ts'
import { nextTick, parseSchedule } from './cron.ts'
import { binaryHeaders, type Envelope } from './envelope.ts'
import type { PingSource } from './model.ts'
import { isRetryable } from './outcome.ts'
import type { Transport } from './transport.ts'

/** A tick that nobody took is tried again this often; then the next tick has to do. */
const delivery = { retry: 3, backoffPolicy: 'exponential', backoffDelayMs: 1000 } as const
const timeoutMs = 60_000

export interface PingParts {
  sources: PingSource[]
  addressOf(source: PingSource): string
  transport: Transport
  clock: Clock
  log(line: Record<string, unknown>): void
}

/** Sends each PingSource's event to its sink when it is due, until the returned function is called. */
export function startPingSources(parts: PingParts): () => void {
  const { clock } = parts
  const cancels = new Map<PingSource, () => void>()
  let stopped = false

  function wait(source: PingSource, due: Date): void {
    if (stopped) return
    const milliseconds = due.getTime() - clock.now().getTime()
    const wake = () => {
      if (clock.now() < due) return wait(source, due)
      void send(source, due)
      plan(source, due)
    }
    cancels.set(source, clock.after(milliseconds, wake))
  }

  function plan(source: PingSource, last: Date): void {
    const schedule = parseSchedule(source.schedule)
    // A laptop that slept sends one tick, not one for each it missed.
    const now = clock.now()
    const due = schedule === null ? null : nextTick(schedule, now > last ? now : last)
    if (due !== null) wait(source, due)
  }

  async function send(source: PingSource, due: Date): Promise<void> {
    const envelope = tickOf(source, due)
    const headers = { ...binaryHeaders(envelope), 'kn-namespace': source.namespace }
    const call = { url: parts.addressOf(source), headers, body: envelope.body, timeoutMs }
    for (let failed = 0; ; failed++) {
      const status = await parts.transport(call).then(
        (answer) => answer.status,
        () => 0,
      )
      if (status >= 200 && status < 300) return
      if ((status !== 0 && !isRetryable(status)) || failed === delivery.retry || stopped) {
        parts.log({ event: 'tick.lost', source: source.name, status })
        return
      }
      await new Promise<void>((resolve) => {
        clock.after(backOff(delivery, failed, 'channel'), resolve)
      })
    }
  }

  for (const source of parts.sources) plan(source, clock.now())
  return () => {
    stopped = true
    for (const cancel of cancels.values()) cancel()
  }
}

/** The event of a PingSource (knative/eventing pkg/adapter/mtping). */
function tickOf(source: PingSource, due: Date): Envelope {
  const attributes: Record<string, string> = {
    ...source.extensions,
    specversion: '1.0',
    id: randomUUID(),
    source: `/apis/v1/namespaces/${source.namespace}/pingsources/${source.name}`,
    type: 'dev.knative.sources.ping',
    time: due.toISOString(),
  }
  if (source.contentType !== undefined) attributes['datacontenttype'] = source.contentType
  return { attributes, body: Buffer.from(source.data) }
}
