import { call, post, Refusal } from './api.ts'
import { byId, element } from './element.ts'
import { startTheme } from './theme.ts'

/** The page of a one-time link: who is signed in says whether an account of a channel is theirs. */
const token = new URL(location.href).searchParams.get('token') ?? ''
const place = byId('link')
const patience = { waiting: () => show('One moment…') }

function show(title: string, sentence?: string, ...rest: HTMLElement[]): void {
  place.replaceChildren(
    element('h2', {}, title),
    ...(sentence === undefined ? [] : [element('p', {}, sentence)]),
    ...rest,
  )
}

async function read<T>(path: string): Promise<T> {
  return (await (await call(path, {}, patience)).json()) as T
}

async function ask(): Promise<void> {
  const { identity, channel } = await read<{ identity: string; channel: string }>(
    `/api/v1/me/link?token=${encodeURIComponent(token)}`,
  )
  const { person } = await read<{ person: { email: string } }>('/api/v1/me')
  show(
    'Is this account yours?',
    `You are signed in as ${person.email}. If you confirm, whoever writes from the ${channel} account ${identity} speaks as you. ` +
      'Confirm only if you asked for this link yourself, a moment ago, from that account. Nobody else has a reason to send it to you.',
    element('button', { type: 'button', class: 'primary', click: () => void attempt(confirm) }, 'Yes, it is mine'),
  )
}

async function confirm(): Promise<void> {
  const { identity } = (await post('/api/v1/me/identities', { token }, {}, patience)) as { identity: string }
  show('Done', `${identity} is you from now on. You can close this page and go on where you were.`)
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) {
      const href = `/sign-in?link=${encodeURIComponent(token)}`
      return show(
        'Please sign in first',
        'Then you can say whether the account is yours.',
        element('a', { class: 'primary', href }, 'Sign in'),
      )
    }
    const isKnown = error instanceof Refusal && error.status < 500
    show(
      'That did not work',
      isKnown ? error.message : 'The service does not answer at the moment. Please open the link again.',
    )
  }
}

startTheme()
void attempt(ask)
