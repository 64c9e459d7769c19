import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
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
    [
      '35: a yes must lead to the call that uses it (approval: confirm-it)',
      '36: there is no confirm or approve step "offer"',
    ],
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
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
