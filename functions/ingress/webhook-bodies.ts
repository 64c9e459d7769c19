import * as z from 'zod/mini'

export const newWebhook = z.object({
  url: z
    .string()
    .check(z.minLength(1), z.maxLength(2_048), z.describe('https, on a port that this deployment allows; public.')),
})

const webhook = z.object({
  id: z.uuid(),
  url: z.string(),
  secret_version: z.int(),
  created_at: z.iso.datetime(),
  disabled_at: z.nullable(z.iso.datetime()).check(z.describe('since when nothing is sent: it answered 410 Gone')),
})

export const webhooks = z.object({ webhooks: z.array(webhook) })

export const registered = z.extend(webhook, {
  secret: z.string().check(z.describe('signs each delivery (Standard Webhooks); shown this once')),
})

export type WebhookBody = z.infer<typeof webhook>
export type WebhooksBody = z.infer<typeof webhooks>
export type RegisteredBody = z.infer<typeof registered>
