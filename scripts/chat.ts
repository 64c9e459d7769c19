import { join } from 'node:path'
import { readKey } from '../local/issuer/key.ts'
import { issuerSettings } from '../local/issuer/settings.ts'
import { signToken } from '../local/issuer/sign.ts'
import { withRunningDemo } from '../local/platform/running-demo.ts'
import { parseEmail } from '../shared/identity/email.ts'
import type { Environment } from '../shared/settings/environment.ts'
import { Chat, Refused, Trouble, textOf } from './chat/chat.ts'
import { converse } from './chat/converse.ts'
import { readCommand } from './command-line/read-command.ts'

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
