import { call, Refusal } from './api.ts'
import { byId, element } from './element.ts'
import { startTheme } from './theme.ts'

/** The page on which a person sees their accounts, takes one back, and says where copies of their answers go. */
interface Me {
  person: { email: string }
  identities: { identity: string; source: string; verified_at: string; primary: boolean }[]
  preferences: { copies: string[] }
  channels: { name: string; reached: boolean }[]
}

const place = byId('settings')
const say = (sentence: string): void => {
  byId('status').textContent = sentence
}
const patience = { waiting: () => say('One moment…') }
const why: Record<string, string> = {
  'first-message': 'the address you are known by',
  channel: 'the channel vouches for your address',
  'sign-in': 'you said so, signed in',
  operator: 'an operator said so',
}
const titles: Record<string, string> = { email: 'E-mail', slack: 'Slack' }

async function load(): Promise<void> {
  const me = (await (await call('/api/v1/me', {}, patience)).json()) as Me
  const reached = me.channels.filter((channel) => channel.reached)
  place.replaceChildren(
    element('h2', {}, 'Your accounts'),
    element('p', {}, `You are ${me.person.email}. Whoever writes from one of these accounts speaks as you.`),
    element('ul', { class: 'accounts' }, ...me.identities.map(drawAccount)),
    element(
      'fieldset',
      {},
      element('legend', {}, 'Copies of your answers'),
      element('p', {}, 'An answer always comes where you asked. Here you say where else.'),
      ...reached.map(({ name }) => drawCopy(name, me.preferences.copies)),
      reached.length === 0 ? element('p', {}, 'There is no other channel on which you are reached.') : null,
    ),
  )
}

function drawAccount({ identity, source, primary }: Me['identities'][number]): HTMLElement {
  const unlink = (): void =>
    void attempt(async () => {
      await call(`/api/v1/me/identities/${encodeURIComponent(identity)}`, { method: 'DELETE' }, patience)
      await load()
      say(`${identity} is not your account any more.`)
    })
  return element(
    'li',
    {},
    element('span', {}, element('strong', {}, identity), ` – ${why[source] ?? source}`),
    primary
      ? null
      : element('button', { type: 'button', 'aria-label': `${identity} is not mine`, click: unlink }, 'Not mine'),
  )
}

function drawCopy(name: string, copies: readonly string[]): HTMLElement {
  const box = element('input', {
    type: 'checkbox',
    name,
    checked: copies.includes(name),
    change: () => void attempt(save),
  })
  return element('label', {}, box, titles[name] ?? name)
}

async function save(): Promise<void> {
  const copies = [...place.querySelectorAll<HTMLInputElement>('input:checked')].map(({ name }) => name)
  const body = JSON.stringify({ copies })
  await call(
    '/api/v1/me/preferences',
    { method: 'PUT', body, headers: { 'content-type': 'application/json' } },
    patience,
  )
  say('Saved.')
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) {
      place.replaceChildren(
        element('h2', {}, 'Please sign in first'),
        element('p', {}, element('a', { class: 'primary', href: '/sign-in' }, 'Sign in')),
      )
      return say('')
    }
    say(error instanceof Refusal && error.status < 500 ? error.message : 'The service does not answer at the moment.')
  }
}

startTheme()
void attempt(load)
