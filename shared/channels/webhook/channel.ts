import type { Channel } from '../channel.ts'

/** Answers to programs, pushed to an address that they registered. See docs/channels/webhooks.md. */
export const webhook: Channel = {
  name: 'webhook',
  configured: ({ WEBHOOK_SIGNING_KEY }) => Boolean(WEBHOOK_SIGNING_KEY),
  reads: {
    door: [],
    sender: ['WEBHOOK_SIGNING_KEY', 'WEBHOOK_HTTP', 'WEBHOOK_PORTS', 'WEBHOOK_NETWORKS'],
    mailbox: [],
  },
  async openSender(environment, parts) {
    const [{ readWebhookSettings }, { openWebhookSender }] = await Promise.all([
      import('./settings.ts'),
      import('./sender.ts'),
    ])
    const settings = readWebhookSettings(environment)
    if (settings === null) throw new Error('WEBHOOK_SIGNING_KEY is not set.')
    return openWebhookSender(settings, parts)
  },
}
