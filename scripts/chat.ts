import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod/mini'
import { readKey } from '../local/issuer/key.ts'
import { issuerSettings } from '../local/issuer/settings.ts'
import { signToken } from '../local/issuer/sign.ts'
import { withRunningDemo } from '../local/platform/running-demo.ts'
import { parseEmail } from '../shared/identity/email.ts'
import type { Environment } from '../shared/settings/environment.ts'
import { readCommand } from './command-line/read-command.ts'

const help = `Type what you need.
  /reset     starts over
  /tokens    shows what the conversation cost
  /as EMAIL  changes who you are
  /quit      leaves; so do Ctrl-D and Ctrl-C`

/** A sentence for the person at the terminal; everything else that is thrown is a defect. */
class Trouble extends Error {}

/** The API took the caller but not this one message; the next may do. */
class Refused extends Trouble {}

/** What is wrong with a message alone: its form, its size, a key used twice. */
const ofTheMessage = [400, 413, 422]

const answer = z.object({
  request_id: z.string(),
  status: z.enum(['completed', 'failed', 'accepted']),
  response: z.nullish(z.object({ content: z.string() })),
})
type Answer = z.infer<typeof answer>

const problem = z.object({ title: z.string(), detail: z.string(), code: z.string() })

/**
 * A text of somebody else's as a terminal may show it: no escape sequences and no control characters but line breaks
 * and tabs, nothing that turns the reading direction round.
 */
export function plainText(text: string): string {
  return (
    text
      .replaceAll(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go.
      .replaceAll(/(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the same.
      .replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '')
  )
}

/** One person's end of the conversation. */
class Chat {
  readonly #api: URL
  readonly #tokenFor: (email: string) => Promise<string>
  email: string

  constructor(api: URL, email: string, tokenFor: (email: string) => Promise<string>) {
    this.#api = api
    this.#tokenFor = tokenFor
    this.email = email
  }

  /** Sends a message and waits for its answer, five minutes at most. */
  async ask(content: string, signal: AbortSignal): Promise<Answer> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(300_000)])
    const body = JSON.stringify({ integration_type: 'CLI', user_id: this.email, content })
    let reply = await this.#fetch('/api/v1/requests/cli', { method: 'POST', body }, deadline)
    while (reply.status === 'accepted') {
      reply = await this.#fetch(`/api/v1/requests/${reply.request_id}`, {}, deadline)
      if (reply.status === 'accepted') await pause(250, undefined, { signal: deadline })
    }
    return reply
  }

  async #fetch(path: string, init: RequestInit, signal: AbortSignal): Promise<Answer> {
    const authorization = `Bearer ${await this.#tokenFor(this.email)}`
    const headers = { authorization, 'content-type': 'application/json', prefer: 'wait=60' }
    const response = await fetch(new URL(path, this.#api), { ...init, headers, signal, redirect: 'error' }).catch(
      (cause: unknown) => {
        if (signal.aborted) throw cause
        throw new Trouble(`The API at ${this.#api.origin} is not up: start the demo first: make demo`, { cause })
      },
    )
    const value: unknown = await response.json().catch(() => null)
    if (!response.ok) {
      const known = problem.safeParse(value)
      if (known.success && ofTheMessage.includes(response.status)) {
        throw new Refused(plainText(`${known.data.detail} (${response.status} ${known.data.code})`))
      }
      const reason = known.success
        ? `${known.data.title} (${known.data.code}): ${known.data.detail}`
        : 'no reason given'
      throw new Trouble(plainText(`The API refused this with ${response.status}: ${reason}`))
    }
    const parsed = answer.safeParse(value)
    if (!parsed.success) throw new Trouble(`What answers at ${this.#api.origin} is not this API.`)
    return parsed.data
  }
}

/**
 * Plays the messages one after the other and shows a refused one's reason in its place. The exit code is 1 where one
 * was refused, and as soon as one has no good answer.
 */
async function play(chat: Chat, messages: string[]): Promise<number> {
  let code = 0
  for (const message of messages) {
    process.stdout.write(`you> ${message}\n`)
    try {
      const reply = await chat.ask(message, AbortSignal.timeout(300_000))
      process.stdout.write(`agent> ${textOf(reply)}\n`)
      if (reply.status === 'failed') return 1
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      process.stdout.write(`refused> ${error.message}\n`)
      code = 1
    }
  }
  return code
}

async function converse(chat: Chat, mayBecome: boolean): Promise<void> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal, historySize: 500 })
  const leaving = new AbortController()
  let open = true
  const leave = (): void => {
    leaving.abort()
    if (open) lines.close()
  }
  lines.once('close', () => {
    open = false
    // Piped input ends before it is answered; who closes a terminal wants to go.
    if (terminal) leaving.abort()
  })
  lines.on('SIGINT', leave)
  process.once('SIGINT', leave)
  process.once('SIGTERM', leave)
  if (terminal) process.stdout.write(`You are ${chat.email}. ${help}\n`)
  lines.setPrompt('you> ')
  lines.prompt()
  for await (const line of lines) {
    const text = line.trim()
    if (text === '/quit') break
    if (text !== '') await respond(chat, text, mayBecome, leaving.signal)
    if (leaving.signal.aborted) break
    if (open) lines.prompt()
  }
  leave()
  process.stdout.write('\n')
}

async function respond(chat: Chat, text: string, mayBecome: boolean, leaving: AbortSignal): Promise<void> {
  const [command = '', argument = ''] = text.split(/\s+/)
  if (command === '/help') return void process.stdout.write(`${help}\n`)
  if (command === '/as') {
    const email = parseEmail(argument)
    if (!mayBecome) process.stdout.write('With TOKEN set you stay who the token says.\n')
    else if (email === null) process.stdout.write('/as takes an e-mail address.\n')
    else {
      chat.email = email
      process.stdout.write(`You are ${email}.\n`)
    }
    return
  }
  if (text.startsWith('/') && command !== '/reset' && command !== '/tokens') {
    return void process.stdout.write(`There is no ${plainText(command)}. ${help}\n`)
  }
  const spinner = startSpinner()
  try {
    const reply = await chat.ask(command === text && text.startsWith('/') ? text.slice(1) : text, leaving)
    spinner.stop()
    process.stdout.write(`agent> ${textOf(reply)}\n`)
  } catch (error) {
    spinner.stop()
    if (leaving.aborted) return
    if (!(error instanceof Trouble)) throw error
    process.stdout.write(`${error instanceof Refused ? 'refused> ' : ''}${error.message}\n`)
  }
}

function startSpinner(): { stop(): void } {
  if (!process.stdout.isTTY) return { stop() {} }
  const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
  let shown = 0
  const timer = setInterval(() => {
    process.stdout.write(`\r${frames[shown++ % frames.length]} `)
  }, 80)
  return {
    stop() {
      clearInterval(timer)
      process.stdout.write('\r\x1b[K')
    },
  }
}

function textOf(reply: Answer): string {
  return plainText(reply.response?.content ?? 'This could not be finished.')
}

/** TOKEN as it is, or a fresh token of the demo's issuer for each request. */
async function tokens(environment: Environment): Promise<(email: string) => Promise<string>> {
  const given = environment['TOKEN']
  if (given) return async () => given
  const { folder, issuer, audience } = issuerSettings(environment)
  const key = await readKey(folder)
  if (key === null) throw new Trouble(`There is no key in ${folder} yet: start the demo first: make demo`)
  return (email) => signToken(key, { issuer, audience, email, now: new Date() })
}

async function main(): Promise<number> {
  readCommand(`Usage: make chat EMAIL=… [MESSAGES='first|second|…']
Talks to the demo as the person of EMAIL, in the terminal; /help there tells how. With MESSAGES it plays these, one after
the other, prints the conversation, and ends with 1 where one was refused or failed. API_URL and TOKEN lead to another
system than the demo of this checkout, with a token of its issuer.`)
  const email = parseEmail(process.env['EMAIL'] ?? '')
  if (email === null) {
    const given = process.env['EMAIL']
    throw new Trouble(
      `${given ? `"${given}" is not an e-mail address` : 'Say who you are'}: EMAIL=alice.johnson@company.com`,
    )
  }
  const environment = await withRunningDemo(process.env, join(import.meta.dirname, '..'))
  const address = environment['API_URL'] || 'http://127.0.0.1:8080'
  if (!URL.canParse(address)) throw new Trouble(`API_URL is no address: ${address}`)
  const chat = new Chat(new URL(address), email, await tokens(environment))
  const messages = process.env['MESSAGES']
  if (messages)
    return play(
      chat,
      messages.split('|').map((message) => message.trim()),
    )
  await converse(chat, !environment['TOKEN'])
  return 0
}

if (import.meta.main) {
  main().then(
    (code) => process.exit(code),
    (error: unknown) => {
      process.stderr.write(
        `${error instanceof Trouble ? error.message : error instanceof Error ? error.stack : error}\n`,
      )
      process.exit(1)
    },
  )
}
