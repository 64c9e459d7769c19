import { createInterface } from 'node:readline'
import { parseEmail } from '../../shared/identity/email.ts'
import { type Chat, Refused, Trouble, textOf } from './chat.ts'
import { followDecisions } from './follow-decisions.ts'
import { plainText } from './plain-text.ts'
import { printAbove } from './print-above.ts'

const help = `Type what you need.
  /reset     starts over
  /tokens    shows what the conversation cost
  /as EMAIL  changes who you are
  /quit      leaves; so do Ctrl-D and Ctrl-C`

/**
 * Talks with the person at the terminal until they leave. What comes unasked while they are at the prompt is shown above
 * the line that they are typing.
 */
export async function converse(chat: Chat, mayBecome: boolean): Promise<void> {
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
  const decisions = followDecisions(chat)
  /** What it returns ends it: from then on nothing comes unasked. */
  const prompt = (): (() => Promise<void>) => {
    lines.prompt()
    const ends = new AbortController()
    const signal = AbortSignal.any([ends.signal, leaving.signal])
    const show = (text: string): void => printAbove(lines, process.stdout, `agent> ${text}`)
    const following = terminal ? decisions.follow(show, signal) : Promise.resolve()
    return async () => {
      ends.abort()
      await following
    }
  }
  let endPrompt = prompt()
  for await (const line of lines) {
    await endPrompt()
    const text = line.trim()
    if (text === '/quit') break
    if (text !== '') await respond(chat, text, mayBecome, leaving.signal)
    if (leaving.signal.aborted) break
    if (open) endPrompt = prompt()
  }
  leave()
  await endPrompt()
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
