import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadAgents, toolsOf } from '../load.ts'
import { sampleAgents } from '../testing/conversation.ts'
import { readAgents } from './check-agents.ts'

const good = `name: sample
title: Sample
description: a sample
tools: [desk.get_laptop, desk.open_ticket]
slots:
  seats: {type: integer, minimum: 1, maximum: 5, description: how many}
variables: {tries: 0}
anytime:
  back: {means: goes back, examples: [main menu], next: to-router}
start: look-up
steps:
  look-up: {call: desk.get_laptop, arguments: {}, save: employee, failure: bye, next: rows}
  rows: {lookup: rows, where: {a: tries}, save: rows, none: bye, next: show}
  show:
    say: |
      Hello
      {{ employee.name }}
    next: offer
  offer: {ask: How many?, next: reply}
  reply:
    decide: true
    labels:
      some: {means: wants some, examples: [some], affirmative: true, next: pick}
      none: {means: wants none, examples: [nothing], negative: true, next: bye}
    unsure: unclear
  unclear: {say: What?, next: $resume}
  pick: {extract: [seats], none: offer, next: enough}
  enough:
    when:
      - {if: seats > 1, next: confirm-it}
      - {next: find}
  find: {search: message, save: passages, none: offer, next: compose}
  compose: {compose: message, from: passages, save: answer, unanswered: offer, next: note}
  note: {set: {tries: tries + 1}, next: offer}
  confirm-it: {confirm: desk.open_ticket, arguments: {code: '"x"'}, ask: Sure?, expires: 1h, yes: file, no: bye, otherwise: unclear}
  file: {call: desk.open_ticket, approval: confirm-it, failure: bye, next: bye}
  to-router: {handoff: router}
  bye: {end: true}
`

let folder: string
const file = () => join(folder, 'sample', 'agent.yaml')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agents-'))
  await cp(sampleAgents, folder, { recursive: true })
  await cp(join(folder, 'laptops'), join(folder, 'sample'), { recursive: true })
  await writeFile(join(folder, 'sample', 'knowledge', 'rows.yaml'), '- {a: 0}\n')
})
afterAll(() => rm(folder, { recursive: true }))

/** The faults of the sample with this text in place of that, as `line: message`. */
async function faultsOf(from: string | RegExp, to: string): Promise<string[]> {
  const text = good.replace(from, () => to)
  if (text === good && from !== '') throw new Error(`the sample has no ${from}`)
  await writeFile(file(), text)
  const { faults } = await readAgents(folder, await toolsOf(folder))
  expect(faults.every((fault) => fault.file === file())).toBe(true)
  return faults.map(({ line, message }) => `${line}: ${message}`)
}

test('the sample has no fault', async () => {
  expect(await faultsOf('', '')).toEqual([])
})

test.each<[string, string | RegExp, string, string[]]>([
  // YAML
  [
    'broken YAML',
    'title: Sample',
    'title: [Sample',
    ['3: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['a key twice', 'title: Sample', 'title: A\ntitle: B', ['3: Map keys must be unique']],
  [
    'a tag that is none',
    'title: Sample',
    'title: !!js/function x',
    ['2: Unresolved tag: tag:yaml.org,2002:js/function'],
  ],
  ['no agent at all', good, '- a\n', ['1: "the file" must be a map']],
  // Form
  ['an unknown key', 'title: Sample', 'title: Sample\nmood: good', ['3: unknown key "mood"']],
  [
    'an unknown key of a step',
    'failure: bye, next: rows',
    'failure: bye, onward: x, next: rows',
    ['12: unknown key "onward"'],
  ],
  ['a missing key', 'description: a sample\n', '', ['1: "description" is missing']],
  ['a wrong type', 'title: Sample', 'title: 7', ['2: "title" must be a text']],
  [
    'a name that is none',
    'variables: {tries: 0}',
    'variables: {Tries: 0}',
    ['7: "Tries" is no name: use a-z and digits and "_"'],
  ],
  [
    'a step name that is none',
    '  bye: {end: true}',
    '  Good_Bye: {end: true}',
    ['38: "Good_Bye" is no name: use a-z and digits and "-"'],
  ],
  [
    'no verb',
    '{say: What?, next: $resume}',
    '{tell: What?, next: $resume}',
    [expect.stringMatching(/^26: step "unclear" has no verb: one of say, ask, /)],
  ],
  [
    'two verbs',
    '{say: What?, next: $resume}',
    '{say: What?, ask: What?, next: $resume}',
    ['26: step "unclear" has two verbs: say and ask'],
  ],
  ['an empty step', '{say: What?, next: $resume}', '', ['26: "unclear" must be a map']],
  ['a missing branch', '    unsure: unclear\n', '', ['20: "unsure" is missing']],
  ['a missing failure branch', ' failure: bye, next: rows', ' next: rows', ['12: "failure" is missing']],
  [
    'a duration that is none',
    'expires: 1h',
    'expires: 1 hour',
    [expect.stringMatching(/^35: "expires" does not have the form/)],
  ],
  [
    'a slot type that is none',
    'type: integer, minimum: 1, maximum: 5',
    'type: date',
    [expect.stringMatching(/^6: "type"/)],
  ],
  ['a key of another slot type', 'minimum: 1, maximum: 5', 'pattern: x', ['6: unknown key "pattern"']],
  ['too many retries', 'save: employee', 'save: employee, retries: 9', ['12: "retries" is too large: at most 5']],
  ['a decide on nothing', 'decide: true', 'decide: yes', ['21: "decide" is not of a kind that is allowed here']],
  [
    'a when without an else',
    '      - {next: find}\n',
    '',
    ['30: the last case has no "if": it says where to go when no other holds'],
  ],
  [
    'an else before the end',
    '      - {next: find}\n',
    '      - {next: find}\n      - {next: bye}\n',
    ['31: only the last case is without "if": what stands after this one is never reached'],
  ],
  // Names
  [
    'another name than the folder',
    'name: sample',
    'name: simple',
    ['1: the name "simple" is not that of the folder, "sample"'],
  ],
  [
    'a name that is always in scope',
    'save: passages',
    'save: message',
    ['32: "message" is always in scope', '33: unknown name "passages" in `passages`'],
  ],
  [
    'a word of the language',
    'variables: {tries: 0}',
    'variables: {tries: 0, size: 1}',
    ['7: "size" is a word of CEL or Liquid'],
  ],
  [
    'a slot saved over',
    'save: passages',
    'save: seats',
    ['32: "seats" is a slot: save under another name', '33: unknown name "passages" in `passages`'],
  ],
  [
    'a slot and a variable of one name',
    'variables: {tries: 0}',
    'variables: {tries: 0, seats: 1}',
    ['7: "seats" is a slot already'],
  ],
  // Ways
  ['an unknown start', 'start: look-up', 'start: lookup', ['10: there is no step "lookup"']],
  ['an unknown target', 'next: enough', 'next: enuf', ['27: there is no step "enuf"']],
  ['an unknown target of a label', 'next: pick}', 'next: pik}', ['23: there is no step "pik"']],
  ['an unknown target at any time', 'next: to-router}', 'next: out}', ['9: there is no step "out"']],
  ['an unknown target of a condition', 'next: confirm-it}', 'next: confirm}', ['30: there is no step "confirm"']],
  [
    'a step that is never reached',
    '  bye: {end',
    '  lost: {say: x, next: bye}\n  bye: {end',
    ['38: step "lost" is never reached'],
  ],
  [
    '$resume before a question',
    'none: bye, next: show',
    'none: unclear, next: show',
    ['26: $resume can come before anything was asked'],
  ],
  [
    'a round without end',
    'note: {set: {tries: tries + 1}, next: offer}',
    'note: {set: {tries: tries + 1}, next: enough2}\n  enough2: {when: [{if: tries > 3, next: offer}, {next: note}]}',
    ['34: note → enough2 → note goes round without asking or calling anything'],
  ],
  [
    'a round that only a model is in',
    'unsure: unclear',
    'unsure: reply',
    ['20: reply → reply goes round without asking or calling anything'],
  ],
  // Expressions and texts
  ['CEL that is none', 'if: seats > 1', 'if: seats >', ['30: `seats >`: Unexpected token: EOF']],
  ['an unknown name in CEL', 'if: seats > 1', 'if: chairs > 1', ['30: unknown name "chairs" in `chairs > 1`']],
  [
    'matches in CEL',
    'if: seats > 1',
    `if: message.matches("(a+)+")`,
    [expect.stringMatching(/^30: .*`matches` is not allowed/)],
  ],
  ['an unknown name in an argument', `{code: '"x"'}`, '{code: cod}', ['35: unknown name "cod" in `cod`']],
  ['an unknown name in a search', 'search: message', 'search: msg', ['32: unknown name "msg" in `msg`']],
  [
    'an unknown name in a condition of a table',
    'where: {a: tries}',
    'where: {a: tires}',
    ['13: unknown name "tires" in `tires`'],
  ],
  [
    'an unknown name in a text, on its line',
    'Hello\n      {{ employee.name }}',
    'Hello\n      {{ employe.name }}',
    ['17: unknown name "employe" in the text'],
  ],
  ['an unknown name in a short text', 'ask: Sure?', 'ask: "Sure, {{ who }}?"', ['35: unknown name "who" in the text']],
  [
    'Liquid that is none',
    'ask: Sure?',
    'ask: "{% if seats %}Sure?"',
    ['35: the text is not Liquid: tag {% if seats %} not closed'],
  ],
  [
    'Liquid that includes',
    'ask: Sure?',
    `ask: "{% include 'x' %}"`,
    ['35: the text is not Liquid: tag "include" not found'],
  ],
  [
    'a filter that is none',
    'ask: Sure?',
    'ask: "{{ seats | nofilter }}"',
    ['35: the text is not Liquid: undefined filter: nofilter'],
  ],
  // Labels
  ['a label twice', 'none: {means: wants none', 'some: {means: wants none', ['24: Map keys must be unique']],
  [
    'a label that is offered anyway',
    'none: {means: wants none',
    'back: {means: wants none',
    ['24: the label "back" is offered at any time already'],
  ],
  [
    'a label with the name of an agent',
    'decide: true\n    labels:\n      some',
    'decide: true\n    labels-from: agents\n    labels:\n      laptops',
    ['24: the label "laptops" is the name of an agent'],
  ],
  [
    'two affirmative labels',
    'negative: true',
    'affirmative: true',
    ['24: "none" is the second affirmative label of step "reply"'],
  ],
  [
    'an example of two labels',
    'examples: [nothing]',
    'examples: [nothing, Some!]',
    ['24: "Some!" is an example of "some" too, in step "reply"'],
  ],
  [
    'an example of a label at any time',
    'examples: [nothing]',
    'examples: [Main menu]',
    ['9: "main menu" is an example of "none" too, in step "reply"'],
  ],
  [
    'no labels',
    /labels:\n {6}some.*\n {6}none.*\n {4}unsure: unclear/,
    'anytime: false\n    unsure: pick',
    ['20: step "reply" has no labels', '35: step "to-router" is never reached'],
  ],
  // Slots
  [
    'a slot that is none',
    'extract: [seats]',
    'extract: [chairs]',
    ['6: no step extracts the slot "seats"', '27: there is no slot "chairs"'],
  ],
  ['a slot twice', 'extract: [seats]', 'extract: [seats, seats]', ['27: the slot "seats" stands twice']],
  [
    'a slot that no step extracts',
    'variables:',
    '  more: {type: text, description: x}\nvariables:',
    ['7: no step extracts the slot "more"'],
  ],
  [
    'a missing that is not extracted',
    'none: offer, next: enough',
    'none: offer, missing: {tries: offer}, next: enough',
    ['27: the step does not extract "tries"'],
  ],
  [
    'no way on without the slot',
    'extract: [seats], none: offer',
    'extract: [seats]',
    ['27: nothing says where to go without "seats": give "none" or "missing"'],
  ],
  [
    'a pattern that could run for minutes',
    'type: integer, minimum: 1, maximum: 5',
    "type: text, pattern: '(a+)+'",
    ['6: the pattern repeats without a limit: write {1,40} for + and {0,40} for *'],
  ],
  ['a range that is empty', 'minimum: 1', 'minimum: 9', ['6: the minimum is above the maximum']],
  [
    'an unknown name in a choice',
    'type: integer, minimum: 1, maximum: 5',
    'type: choice, from: chairs, match: [a]',
    ['6: unknown name "chairs" in `chairs`'],
  ],
  // Tools
  [
    'an unknown tool',
    'tools: [desk.get_laptop',
    'tools: [desk.no_tool, desk.get_laptop',
    ['4: there is no tool "desk.no_tool"', '4: no step uses the tool "desk.no_tool"'],
  ],
  [
    'a tool that is not allowed',
    'tools: [desk.get_laptop, ',
    'tools: [',
    [`12: the tool "desk.get_laptop" is not among this agent's tools`],
  ],
  [
    'a tool that no step uses',
    'desk.open_ticket]',
    'desk.open_ticket, desk.close_ticket]',
    ['4: no step uses the tool "desk.close_ticket"'],
  ],
  [
    'an unknown argument',
    'get_laptop, arguments: {}',
    'get_laptop, arguments: {who: person.email}',
    ['12: the tool "desk.get_laptop" takes no argument "who"'],
  ],
  [
    'a missing argument',
    `arguments: {code: '"x"'}, `,
    '',
    ['35: the argument "code" of the tool "desk.open_ticket" is missing'],
  ],
  // Writes
  [
    'a write without approval',
    'approval: confirm-it, ',
    "arguments: {code: '1'}, ",
    [
      '35: a yes must lead to the call that uses it (approval: confirm-it)',
      '36: "desk.open_ticket" writes: it needs the approval of a confirm step',
    ],
  ],
  [
    'an approval of no confirm',
    'approval: confirm-it',
    'approval: offer',
    ['35: a yes must lead to the call that uses it (approval: confirm-it)', '36: there is no confirm step "offer"'],
  ],
  [
    'the approval of another tool',
    /file: \{call: desk.open_ticket/,
    'file: {call: desk.close_ticket',
    [
      `36: the tool "desk.close_ticket" is not among this agent's tools`,
      '36: "confirm-it" asks about "desk.open_ticket", not "desk.close_ticket"',
    ],
  ],
  [
    'a second way to a write',
    'otherwise: unclear}',
    'otherwise: file}',
    ['35: step "file" writes: only the yes of "confirm-it" may lead to it'],
  ],
  [
    'a way to a write from elsewhere',
    'next: confirm-it}',
    'next: file}',
    ['30: step "file" writes: only the yes of "confirm-it" may lead to it', '35: step "confirm-it" is never reached'],
  ],
  [
    'a write at the start',
    'start: look-up',
    'start: file',
    [
      '10: step "file" writes: only the yes of "confirm-it" may lead to it',
      '12: step "look-up" is never reached',
      '13: step "rows" is never reached',
      '14: step "show" is never reached',
      '19: step "offer" is never reached',
      '20: step "reply" is never reached',
      '26: step "unclear" is never reached',
      '27: step "pick" is never reached',
      '28: step "enough" is never reached',
      '32: step "find" is never reached',
      '33: step "compose" is never reached',
      '34: step "note" is never reached',
      '35: step "confirm-it" is never reached',
      '37: step "to-router" is never reached',
    ],
  ],
  [
    'a write that is retried',
    'approval: confirm-it',
    'approval: confirm-it, retries: 1',
    ['36: "desk.open_ticket" writes: it is not retried here'],
  ],
  [
    'a write with arguments of its own',
    'approval: confirm-it',
    "approval: confirm-it, arguments: {code: '1'}",
    ['36: the arguments are those that were approved: give none'],
  ],
  [
    'a confirm for a read',
    'confirm: desk.open_ticket, arguments: {code: \'"x"\'}',
    'confirm: desk.get_laptop',
    [
      '35: "desk.get_laptop" only reads: there is nothing to confirm',
      '36: "confirm-it" asks about "desk.get_laptop", not "desk.open_ticket"',
    ],
  ],
  [
    'an approval for a read',
    'arguments: {}, save: employee',
    'approval: confirm-it',
    ['12: "desk.get_laptop" only reads: it needs no approval', '17: unknown name "employee" in the text'],
  ],
  // Surroundings
  ['an unknown agent', 'handoff: router', 'handoff: nobody', ['37: there is no agent "nobody"']],
  ['a hand-off to itself', 'handoff: router', 'handoff: sample', ['37: an agent cannot hand off to itself']],
  [
    'an unknown table',
    'lookup: rows',
    'lookup: columns',
    ['13: there is no table "columns": knowledge/ has offers, policy, rows'],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})

test('the folder itself: an agent without a file, no router, every fault in one error', async () => {
  const other = await mkdtemp(join(tmpdir(), 'agents-'))
  await cp(join(sampleAgents, 'laptops'), join(other, 'laptops'), { recursive: true })
  await mkdir(join(other, 'empty'))
  const { faults } = await readAgents(other, await toolsOf(sampleAgents))
  expect(faults).toEqual([
    { file: other, line: 1, message: 'there is no agent "router", with which every conversation starts' },
    { file: join(other, 'empty', 'agent.yaml'), line: 1, message: 'the folder of an agent has an agent.yaml' },
    { file: join(other, 'laptops', 'agent.yaml'), line: expect.any(Number), message: 'there is no agent "router"' },
  ])
  // Without a tools.json no tool is known.
  await expect(loadAgents(other)).rejects.toMatchObject({
    code: 'flow.invalid',
    message: expect.stringMatching(
      /agent\.yaml:5: there is no tool "desk\.get_laptop"\n(.*\n)*.*there is no agent "router"/,
    ),
  })
  await rm(other, { recursive: true })
})

test('search needs a document', async () => {
  await rm(join(folder, 'sample', 'knowledge', 'refresh.md'))
  expect(await faultsOf('', '')).toEqual(['32: knowledge/ has no document (*.md) to search'])
})
