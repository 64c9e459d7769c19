import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
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
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
