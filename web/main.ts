import { createComposer } from './composer.ts'
import { createConversation, type Work } from './conversation.ts'
import { createDecisions } from './decisions.ts'
import { drawMessage, drawOffer, drawUnsent } from './draw-message.ts'
import { byId, element, icon, icons } from './element.ts'
import { startTheme } from './theme.ts'
import { inOrder, pressable, type Thread } from './thread.ts'
import { agentTitle, dayOf, initialsOf, nameOf } from './words.ts'

/** Why somebody is not signed in, as the door says it in the address. */
const troubles: Record<string, string> = {
  denied: 'You did not sign in.',
  stale: 'That sign-in took too long, or was begun in another window. Please try again.',
  refused: 'The sign-in was refused. Please try again.',
  'no-address': 'Your account has no verified e-mail address, so you cannot be recognised here.',
  unavailable: 'The sign-in service does not answer at the moment. Please try again.',
}
const suggestions = ['What can you help me with?', 'I need a new laptop', 'Show my open requests']

const [log, scroll, welcome, talk, status, progress, offer, earlier] = (
  ['log', 'scroll', 'welcome', 'talk', 'status', 'progress', 'offer', 'earlier'] as const
).map(byId) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]
let person = ''
let drawnOffer = ''
let busy = false
let slow: ReturnType<typeof setTimeout> | undefined

const say = (sentence: string): void => {
  status.textContent = sentence
  clearTimeout(quiet)
  quiet = setTimeout(() => {
    status.textContent = ''
  }, 6_000)
}
let quiet: ReturnType<typeof setTimeout> | undefined

startTheme()
byId('leave').append(icon(icons.leave))
byId('settings').append(icon(icons.settings))
const composer = createComposer({ say, send: (content, files) => conversation.send(content, null, files) })
const decisions = createDecisions(say)

const conversation = createConversation({
  opened(opened) {
    const first = person === ''
    person = opened.person
    byId('person').textContent = nameOf(person)
    byId('person').title = person
    byId('initials').textContent = initialsOf(person)
    byId('who').hidden = false
    talk.hidden = false
    composer.allow({ files: opened.files, messageLimit: opened.message_limit })
    if (first) {
      composer.focus()
      conversation.restore(person)
      void decisions.refresh()
    }
    greet()
  },
  changed: draw,
  working: drawWork,
  signedOut() {
    clearTimeout(slow)
    talk.hidden = true
    byId('who').hidden = true
    welcome.hidden = false
    welcome.className = 'welcome door'
    const trouble = troubles[new URLSearchParams(location.search).get('sign-in') ?? '']
    const link = element('a', { href: '/sign-in', class: 'primary' }, 'Sign in')
    welcome.replaceChildren(
      element('h2', {}, person === '' ? 'Welcome' : 'You are signed out'),
      element('p', {}, 'Ask for what you need at work: a new laptop, a software licence, help with a problem.'),
      trouble === undefined ? '' : element('p', { class: 'trouble', role: 'alert' }, trouble),
      link,
    )
    link.focus()
  },
  away(tries) {
    clearTimeout(slow)
    if (tries === null) status.textContent = ''
    // A function that wakes answers within a second or two; nobody needs to read of that.
    else if (tries >= 2) status.textContent = tries < 6 ? 'Waking up …' : 'No connection to the service. Trying again …'
  },
})

/** What is seen while there is no message yet. */
function greet(): void {
  welcome.hidden = busy || conversation.thread.messages.size > 0 || conversation.thread.unsent.length > 0
  if (welcome.hidden || welcome.className.includes('start')) return
  welcome.className = 'welcome start'
  const ask = (text: string) => () => conversation.send(text, null, [])
  welcome.replaceChildren(
    element('h2', {}, `Hello ${nameOf(person).split(' ')[0]}, what do you need?`),
    element('p', {}, 'Write it in your own words, or begin with one of these.'),
    element(
      'div',
      { class: 'suggestions' },
      ...suggestions.map((text) => element('button', { type: 'button', class: 'card', click: ask(text) }, text)),
    ),
  )
}

const drawn = new Map<string, Element>()
/** Who reads the end stays there, whatever grows or shrinks; who reads further up is left alone. */
let atEnd = true
const stay = (): void => {
  if (atEnd) scroll.scrollTop = scroll.scrollHeight
}
scroll.addEventListener('scroll', () => {
  atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80
})
new ResizeObserver(stay).observe(scroll)

/** Brings the log up to date: what stands there stays, so that a screen reader hears only what is new. */
function draw(thread: Thread): void {
  const before = scroll.scrollHeight
  const messages = inOrder(thread)
  const wanted = new Map<string, () => Element>()
  let day = ''
  for (const message of messages) {
    const of = dayOf(message.created_at)
    if (of !== day) wanted.set(`day ${of}`, () => element('p', { class: 'day' }, of))
    day = of
    wanted.set(`${thread.session}/${message.number}`, () => drawMessage(message, person))
  }
  for (const unsent of thread.unsent) {
    const key = `${unsent.key} ${unsent.state === 'failed'} ${unsent.why}`
    wanted.set(key, () =>
      drawUnsent(
        unsent,
        () => conversation.again(unsent),
        () => conversation.drop(unsent),
      ),
    )
  }
  for (const [key, node] of drawn) {
    if (wanted.has(key)) continue
    node.remove()
    drawn.delete(key)
  }
  let place: ChildNode | null = log.firstChild
  for (const [key, make] of wanted) {
    const node = drawn.get(key) ?? make()
    drawn.set(key, node)
    if (node === place) place = place.nextSibling
    else log.insertBefore(node, place)
  }
  earlier.hidden = (messages[0]?.number ?? 1) <= 1
  drawPressable(thread)
  greet()
  stay()
  if (!atEnd && scroll.scrollTop < 40) scroll.scrollTop += scroll.scrollHeight - before
}

function drawPressable(thread: Thread): void {
  const message = pressable(thread)
  const key = message === null ? '' : `${thread.session}/${message.number}`
  if (key === drawnOffer) return
  drawnOffer = key
  offer.replaceChildren()
  if (message?.offer == null) return
  offer.append(
    drawOffer(message.offer, (content, approval) => {
      conversation.send(content, approval, [])
      composer.focus()
    }),
  )
}

function drawWork(work: Work | null): void {
  clearTimeout(slow)
  busy = work !== null
  progress.hidden = !busy
  greet()
  progress.replaceChildren()
  if (work === null) return
  const title = agentTitle(work.agent)
  const words =
    work.state === 'waiting'
      ? 'The model is busy. Your answer comes as soon as it can be had; you may close this page.'
      : work.state === 'queued'
        ? 'In the queue …'
        : `${title} is working on it`
  const step =
    work.state === 'working' && work.step > 0
      ? ` · step ${work.step + 1}${work.at === null ? '' : `, ${work.at.replaceAll('-', ' ')}`}`
      : ''
  progress.replaceChildren(
    element('div', { class: 'face' }, icon(icons.agent)),
    element('span', { class: 'dots', 'aria-hidden': 'true' }, element('i'), element('i'), element('i')),
    element('span', { class: 'doing' }, words + step),
  )
  stay()
  // Most answers come sooner than anybody could read this.
  slow = setTimeout(() => {
    status.textContent = words
  }, 1_500)
}

earlier.addEventListener('click', () => void conversation.earlier())
byId('leave').addEventListener('click', () => {
  const init = { method: 'POST', headers: { 'x-requested-with': 'chat' } }
  sessionStorage.clear()
  void fetch('/sign-out', init).then(() => location.assign('/'))
})
// Another channel may have gone on meanwhile: looked at when somebody comes back, not by a timer (nothing runs for nobody).
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible' || person === '') return
  void conversation.follow()
  void decisions.refresh()
})
window.addEventListener('online', () => void conversation.follow())
slow = setTimeout(() => {
  status.textContent = 'Connecting …'
}, 700)
void conversation.follow().then(() => {
  clearTimeout(slow)
  if (status.textContent === 'Connecting …') status.textContent = ''
  if (location.search !== '' && person !== '') history.replaceState(null, '', '/')
})
