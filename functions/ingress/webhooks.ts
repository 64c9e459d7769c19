import { Fault } from '../../shared/errors/fault.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import type { Environment } from '../../shared/settings/environment.ts'
import type { Database } from '../../shared/store/connect.ts'
import { newWebhook, type RegisteredBody, type WebhookBody, type WebhooksBody } from './webhook-bodies.ts'

export interface WebhookParts {
  database: Database
  now(): Date
  newId(): string
  /** WEBHOOK_SIGNING_KEY and the others; without the key this deployment pushes nothing. */
  environment: Environment
}

/** What a caller does about the addresses that their own answers are pushed to. */
export interface WebhookDesk {
  list(caller: Caller): Promise<Response>
  register(caller: Caller, value: unknown): Promise<Response>
  rotate(caller: Caller, id: string): Promise<Response>
  remove(caller: Caller, id: string): Promise<Response>
  /** @throws Fault `request.malformed` where the caller may not name this one as where their answer goes */
  checkReplyTo(caller: Caller, id: string): Promise<void>
}

/**
 * Registration never calls the address: its form is judged, and with each delivery what its name stands for. The secret
 * is in the answer to a registration and to a rotation, and nowhere else.
 * @throws Fault `webhook.not-configured`, `request.malformed`, `request.not-found` (from what it returns)
 */
export function createWebhookDesk({ database, now, newId, environment }: WebhookParts): WebhookDesk {
  let opened: ReturnType<typeof open> | undefined
  const parts = () => {
    opened ??= open(environment)
    return opened
  }
  return {
    async list(caller) {
      const { listWebhooks } = await parts()
      const webhooks = await listWebhooks(database, caller.subject)
      const body: WebhooksBody = { webhooks: webhooks.map(toBody) }
      return Response.json(body)
    },
    async register(caller, value) {
      const { settings, readTarget, secretOf, createWebhook } = await parts()
      const parsed = newWebhook.safeParse(value)
      if (!parsed.success) throw new Fault('request.malformed', 'url: the address to push to')
      const { url, refusal } = readTarget(parsed.data.url, settings.rules)
      if (url === null) throw new Fault('request.malformed', `url: ${refusal}`)
      const owner = { subject: caller.subject, email: caller.email }
      const webhook = await createWebhook(database, owner, { id: newId(), url: url.href, now: now() })
      if (webhook === null) throw new Fault('request.malformed', 'you have as many webhooks as one may have: 20')
      const body: RegisteredBody = { ...toBody(webhook), secret: secretOf(settings.key, webhook.id, webhook.version) }
      return Response.json(body, { status: 201, headers: { location: '/api/v1/webhooks' } })
    },
    async rotate(caller, id) {
      const { settings, secretOf, rotateWebhook } = await parts()
      const webhook = await rotateWebhook(database, caller.subject, id, now())
      if (webhook === null) throw noneOfYours()
      const body: RegisteredBody = { ...toBody(webhook), secret: secretOf(settings.key, webhook.id, webhook.version) }
      return Response.json(body)
    },
    async remove(caller, id) {
      const { deleteWebhook } = await parts()
      if (!(await deleteWebhook(database, caller.subject, id))) throw noneOfYours()
      return new Response(null, { status: 204 })
    },
    async checkReplyTo(caller, id) {
      const { mayReplyTo } = await parts()
      if (await mayReplyTo(database, caller.subject, id)) return
      throw new Fault('request.malformed', 'reply_to: no webhook of yours has this id, or it is disabled')
    },
  }
}

/** Loaded with the first call: starting up does without. */
async function open(environment: Environment) {
  const [{ readWebhookSettings }, { readTarget }, { secretOf }, rows] = await Promise.all([
    import('../../shared/channels/webhook/settings.ts'),
    import('../../shared/channels/webhook/target.ts'),
    import('../../shared/channels/webhook/sign.ts'),
    import('../../shared/channels/webhook/rows.ts'),
  ])
  const settings = readWebhookSettings(environment)
  if (settings === null) throw new Fault('webhook.not-configured', 'this deployment pushes no answers')
  const { createWebhook, listWebhooks, rotateWebhook, deleteWebhook, mayReplyTo } = rows
  return { settings, readTarget, secretOf, createWebhook, listWebhooks, rotateWebhook, deleteWebhook, mayReplyTo }
}

function noneOfYours(): Fault {
  return new Fault('request.not-found', 'no webhook of yours has this id')
}

function toBody(webhook: {
  id: string
  url: string
  version: number
  createdAt: Date
  disabledAt: Date | null
}): WebhookBody {
  const { id, url, version, createdAt, disabledAt } = webhook
  return {
    ...{ id, url, secret_version: version, created_at: createdAt.toISOString() },
    disabled_at: disabledAt?.toISOString() ?? null,
  }
}
