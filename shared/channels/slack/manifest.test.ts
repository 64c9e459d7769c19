import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { allScopes } from '../../../local/slack/workspace.ts'
import { slack } from './channel.ts'
import { message } from './payloads.ts'
import { readSlackSettings } from './settings.ts'

const manifest = z
  .object({
    features: z.object({
      slash_commands: z.array(z.object({ command: z.string(), url: z.string(), should_escape: z.literal(true) })),
    }),
    oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()), user: z.undefined().optional() }) }),
    settings: z.object({
      event_subscriptions: z.object({ request_url: z.string(), bot_events: z.array(z.string()) }),
      interactivity: z.object({ is_enabled: z.literal(true), request_url: z.string() }),
    }),
  })
  .parse(parse(readFileSync(join(import.meta.dirname, 'manifest.yaml'), 'utf8')))

/** Every method of the Web API that the code names. */
const methods = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .flatMap(
    (name) =>
      readFileSync(join(import.meta.dirname, name), 'utf8').match(/'(?:auth|chat|conversations|users)\.\w+'/g) ?? [],
  )
  .map((method) => method.slice(1, -1))

/** "Required scopes" of each method at docs.slack.dev/reference/methods; history has one scope for each kind of channel. */
const history = ['channels:history', 'groups:history', 'im:history', 'mpim:history']
const scopesOfMethods: Record<string, string[]> = {
  'auth.test': [],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': history,
  'conversations.open': ['im:write'],
  'conversations.replies': history,
  // The address is part of a profile only with the second (reference/scopes/users.read.email).
  'users.info': ['users:read', 'users:read.email'],
}
/** "Required scopes" of each event at docs.slack.dev/reference/events. */
const scopesOfEvents: Record<string, string[]> = {
  app_mention: ['app_mentions:read'],
  'message.channels': ['channels:history'],
  'message.groups': ['groups:history'],
  'message.im': ['im:history'],
  'message.mpim': ['mpim:history'],
}

test('the manifest asks for the scopes that the code needs, and for no other', () => {
  const { bot_events } = manifest.settings.event_subscriptions
  const needed = [
    ...methods.flatMap((method) => scopesOfMethods[method] ?? [`unknown method ${method}`]),
    ...bot_events.flatMap((event) => scopesOfEvents[event] ?? [`unknown event ${event}`]),
    ...(manifest.features.slash_commands.length > 0 ? ['commands'] : []),
  ]
  expect(manifest.oauth_config.scopes.bot).toEqual([...new Set(needed)].sort())
  expect(allScopes).toEqual(manifest.oauth_config.scopes.bot)
  expect(Object.keys(scopesOfMethods)).toEqual([...new Set(methods)].sort())
})

test('it subscribes to what the door reads, and calls the routes that there are', () => {
  const { event_subscriptions, interactivity } = manifest.settings
  const kinds = new Set(event_subscriptions.bot_events.map((event) => event.split('.')[0]))
  expect([...kinds]).toEqual(
    expect.arrayContaining([...(message.shape.type.def.entries ? Object.values(message.shape.type.def.entries) : [])]),
  )
  const urls = [event_subscriptions, interactivity].map(({ request_url }) => request_url)
  const paths = [...urls, ...manifest.features.slash_commands.map(({ url }) => url)].map((url) => new URL(url).pathname)
  expect(paths.sort()).toEqual((slack.routes ?? []).map(({ path }) => String(path)).sort())
})

test('its command is the one that the code takes', () => {
  const { command } = readSlackSettings({ SLACK_BOT_TOKEN: 'x', SLACK_SIGNING_SECRET: 'y' })
  expect(manifest.features.slash_commands.map((given) => given.command)).toEqual([command])
})

test.each([
  [{ SLACK_SIGNING_SECRET: '' }, 'SLACK_SIGNING_SECRET is not set'],
  [{ SLACK_BOT_TOKEN: '' }, 'SLACK_BOT_TOKEN is not set'],
  [{ SLACK_API_URL: 'slack' }, 'SLACK_API_URL is no'],
  [{ SLACK_SLASH_COMMAND: 'agent' }, 'SLACK_SLASH_COMMAND is no'],
  [{ SLACK_TEAMS: 'T0A, acme' }, 'SLACK_TEAMS names "acme"'],
  [{ SLACK_GUESTS: 'yes' }, 'SLACK_GUESTS is "yes"'],
])('a setting that is none is said to be so: %j', (more, sentence) => {
  expect(() => readSlackSettings({ SLACK_BOT_TOKEN: 'x', SLACK_SIGNING_SECRET: 'y', ...more })).toThrow(sentence)
})

test('other workspaces and guests are believed where the deployment says so', () => {
  const settings = readSlackSettings({
    ...{ SLACK_BOT_TOKEN: 'x', SLACK_SIGNING_SECRET: 'y', SLACK_API_URL: 'http://127.0.0.1:1/api' },
    ...{ SLACK_TEAMS: 'T0A, E0B', SLACK_GUESTS: 'true', SLACK_SLASH_COMMAND: '/it' },
  })
  expect(settings).toMatchObject({
    teams: ['T0A', 'E0B'],
    guests: true,
    command: '/it',
    apiUrl: 'http://127.0.0.1:1/api/',
  })
})
