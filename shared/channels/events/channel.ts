import type { Channel } from '../channel.ts'

/** Events of enterprise systems, mapped to messages by the files of integrations/. See docs/channels/events.md. */
export const events: Channel = {
  name: 'events',
  configured: ({ EVENT_KEYS }) => Boolean(EVENT_KEYS),
  reads: { door: ['EVENT_KEYS', 'INTEGRATIONS_DIR'], sender: [], mailbox: [] },
  routes: [
    {
      method: 'POST',
      path: '/channels/events/{source}',
      proof: {
        header: 'authorization',
        meaning:
          "A bearer token of the source; or, for a structured event, `webhook-signature` with the source's secret (Standard Webhooks).",
      },
      summary: 'A CloudEvent of an enterprise system, which becomes the message of the person whom it is about',
    },
    {
      method: 'OPTIONS',
      path: '/channels/events/{source}',
      proof: null,
      summary: 'Whether a sender may send there (CloudEvents webhook, abuse protection)',
    },
  ],
  async openDoor(environment, parts) {
    const [{ openDoor }, { channels }] = await Promise.all([import('./open.ts'), import('../registry.ts')])
    const names = channels.filter(({ sends }) => sends !== false).map(({ name }) => name)
    return await openDoor(environment, parts, names)
  },
  sends: false,
  openSender: () => Promise.reject(new Error('nobody listens where events come from')),
}
