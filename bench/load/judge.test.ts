import { expect, test } from 'vitest'
import type { Sent } from './arrivals.ts'
import { figuresOf } from './figures.ts'
import { judge } from './judge.ts'
import type { MessageRow, Outcome, RequestRow, TurnRow } from './outcome.ts'

/** What is planted here must be seen in a run: a check that cannot fail proves nothing. */
const person = 'one@load.example'
const at = (ms: number) => new Date(1_800_000_000_000 + ms)

/** Three messages of one person, sent at once and answered one after the other. */
function rightRun() {
  const places = [1, 2, 3]
  const sent: Sent[] = places.map((place) => ({
    ...{ person, place, content: `message ${place}`, due: at(place).getTime() },
    ...{ request: `r${place}`, refused: 0, answered: null },
  }))
  const requests: RequestRow[] = places.map((place) => ({
    ...{ id: `r${place}`, person, accepted: place, acceptedAt: at(place), state: 'answered', session: 's' },
    ...{ answer: 'yes', answeredAt: at(place * 100 + 60) },
  }))
  const turns: TurnRow[] = places.map((place) => ({
    ...{ id: `t${place}`, session: 's', request: `r${place}`, state: 'answered', steps: 1, deliveries: 1 },
    ...{ openedAt: at(place * 100), finishedAt: at(place * 100 + 50) },
  }))
  const said = places.map(
    (place): MessageRow => ({
      ...{ session: 's', number: place, role: 'employee', content: `message ${place}`, request: `r${place}` },
      ...{ turn: `t${place}`, state: 'done' },
    }),
  )
  const answers = places.map(
    (place): MessageRow => ({
      ...{
        session: 's',
        number: place + 3,
        role: 'agent',
        content: 'yes',
        request: null,
        turn: `t${place}`,
        state: 'done',
      },
    }),
  )
  const outcome: Outcome = {
    requests,
    turns,
    messages: [...said, ...answers],
    unsettled: 0,
    leased: 0,
    deadLetters: 0,
    republished: 0,
  }
  return { sent, outcome }
}

type Run = ReturnType<typeof rightRun>

function judgeAfter(change: (run: Run) => void, longestMs = 1_000): string[] {
  const run = rightRun()
  change(run)
  return judge(run.sent, run.outcome, { longestMs, held: null })
}

function element<T>(list: T[], index: number): T {
  return list[index] ?? expect.fail(`there is no element ${index}`)
}

test('a run as it should be has no violation', () => {
  expect(judgeAfter(() => {})).toEqual([])
})

test.each<[string, RegExp, (run: Run) => void]>([
  ['a lost message', /2 requests/, ({ outcome }) => outcome.requests.pop()],
  [
    'a message that was taken twice',
    /4 requests/,
    ({ outcome }) => outcome.requests.push({ ...element(outcome.requests, 0), id: 'r4' }),
  ],
  ['a message that was accepted out of order', /another order/, ({ outcome }) => outcome.requests.reverse()],
  [
    'a message without an answer',
    /message 2 .* is queued/,
    ({ outcome }) => {
      element(outcome.requests, 1).state = 'queued'
    },
  ],
  [
    'a message that had two turns',
    /message 1 .* 2 turns/,
    ({ outcome }) => {
      outcome.turns.push({ ...element(outcome.turns, 0), id: 't4', openedAt: at(400), finishedAt: at(450) })
    },
  ],
  [
    'a turn that failed',
    /its turn is failed/,
    ({ outcome }) => {
      element(outcome.turns, 1).state = 'failed'
    },
  ],
  [
    'an answer that was delivered twice',
    /delivered 2 times/,
    ({ outcome }) => {
      element(outcome.turns, 1).deliveries = 2
    },
  ],
  [
    'two turns at a time',
    /turn 2 .* before turn 1/,
    ({ outcome }) => {
      element(outcome.turns, 1).openedAt = at(149)
    },
  ],
  [
    'a queue in another order',
    /queue .* order/,
    ({ outcome }) => {
      element(outcome.messages, 0).content = 'message 2'
      element(outcome.messages, 1).content = 'message 1'
    },
  ],
  [
    'answers in another order',
    /answers .* in their order/,
    ({ outcome }) => {
      element(outcome.messages, 3).turn = 't2'
      element(outcome.messages, 4).turn = 't1'
    },
  ],
  [
    'an answer that came twice',
    /4 answers to 3 messages/,
    ({ outcome }) => {
      outcome.messages.push({ ...element(outcome.messages, 5), number: 7 })
    },
  ],
  [
    'a message that is still queued',
    /not done/,
    ({ outcome }) => {
      element(outcome.messages, 2).state = 'queued'
    },
  ],
  [
    'a person with two sessions',
    /2 sessions/,
    ({ outcome }) => {
      element(outcome.requests, 2).session = 'another'
    },
  ],
  [
    'a session that is owed something',
    /still owed/,
    ({ outcome }) => {
      outcome.unsettled = 1
    },
  ],
  [
    'a lease that nobody gave up',
    /left leased/,
    ({ outcome }) => {
      outcome.leased = 1
    },
  ],
  [
    'a dead letter',
    /dead letters/,
    ({ outcome }) => {
      outcome.deadLetters = 1
    },
  ],
])('%s is a violation', (_what, sentence, change) => {
  expect(judgeAfter(change).join('\n')).toMatch(sentence)
})

test('who waits too long for a turn, or in it, starved; but not behind the own earlier messages', () => {
  expect(judgeAfter(() => {}, 100)).toEqual([])
  expect(judgeAfter(() => {}, 98).join()).toMatch(/starved: 99 ms/)
  expect(judgeAfter(() => {}, 49).join()).toMatch(/starved/)
  const run = rightRun()
  expect(judge(run.sent, run.outcome, { longestMs: 10, held: person })).toEqual([])
})

test('the figures of a run', () => {
  const { sent, outcome } = rightRun()
  expect(figuresOf(sent, outcome, null)).toMatchObject({
    turns: 3,
    stepsPerTurn: 1,
    latencyMs: { p50: 258, max: 357 },
    turnMs: { p50: 50, max: 50 },
    turnWaitMs: { p50: 50, max: 99 },
    maxQueueOfOne: 3,
    maxQueueOfAll: 3,
  })
  expect(figuresOf(sent, outcome, person)).toMatchObject({ turns: 0 })
})
