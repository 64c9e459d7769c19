import * as z from 'zod/mini'
import { type Route, routes, type Who } from '../../functions/ingress/routes.ts'
import { channels } from '../../shared/channels/registry.ts'
import { agenticThreats, llmThreats, type Threat } from './threats.ts'

const named: Partial<Record<Who, string>> = {
  anyone: 'anyone',
  caller: 'any caller, for what is theirs',
  person: 'a person, for what is theirs',
}

/** Every route at the public door, who may call it and what proves who that is. */
export function routeTable(): string {
  const own = routes.map((route) => row(route.method, route.path, whoOf(route), proofOf(route), route.summary))
  const ofChannels = channels.flatMap(({ name, routes: all = [] }) =>
    all.map(({ method, path, proof, summary }) =>
      row(
        method,
        path,
        proof === null ? 'anyone' : name,
        proof === null ? '–' : `\`${proof.header}\`: ${proof.meaning}`,
        summary,
      ),
    ),
  )
  return ['| method | path | who | proof | what |', '| --- | --- | --- | --- | --- |', ...[...own, ...ofChannels]].join(
    '\n',
  )
}

function row(...cells: string[]): string {
  const [method, path, ...rest] = cells
  return `| ${method} | \`${path}\` | ${rest.map((cell) => cell.replaceAll('|', '\\|').replace(/\.$/, '')).join(' | ')} |`
}

function whoOf({ who }: Route): string {
  return named[who] ?? `scope \`${who}\``
}

function proofOf(route: Route): string {
  if (route.who === 'anyone') return '–'
  const bearer = route.who === 'person' ? 'token' : 'token, API key'
  return route.cookie ? `${bearer}, session cookie` : bearer
}

/** Both lists of OWASP's, with the tests that try each row. */
export function threatTable(): string {
  return [
    '| threat | what holds | tried in |',
    '| --- | --- | --- |',
    ...[...llmThreats, ...agenticThreats].map(
      ({ id, name, holds, tests }: Threat) =>
        `| ${id} ${name} | ${holds} | ${tests.map((test) => `[${test}](../${test})`).join('<br>')} |`,
    ),
  ].join('\n')
}

const report = z.object({ tried: z.int().check(z.gte(1)), letIn: z.int().check(z.gte(0)) })
export type AbuseFigures = Record<string, z.infer<typeof report>>

/** What each report tried, in the order of this list. */
export const abuses: Readonly<Record<string, string>> = {
  tokens: 'forged, expired and foreign tokens, on every route',
  api: 'wrong, expired and foreign keys, cookies and proofs of channels, on every route; cross-person reads and changes',
  slack: 'forged and replayed calls of Slack',
  email: 'spoofed senders, and mails that nobody wrote',
  webhook: 'addresses that a pushed answer must not reach (SSRF)',
  events: 'forged and replayed events',
}

/** @throws Error where it is no report of this kind */
export function readAbuse(text: string): AbuseFigures[string] {
  const { tried, letIn } = report.parse(JSON.parse(text))
  return { tried, letIn }
}

export function abuseTable(figures: AbuseFigures): string {
  const rows = Object.entries(abuses).flatMap(([name, what]) => {
    const one = figures[name]
    return one === undefined ? [] : [`| ${what} | ${one.tried} | ${one.letIn} |`]
  })
  const sum = (field: 'tried' | 'letIn') => Object.values(figures).reduce((all, one) => all + one[field], 0)
  return [
    '| tried | times | let in |',
    '| --- | ---: | ---: |',
    ...rows,
    `| **all** | **${sum('tried')}** | **${sum('letIn')}** |`,
  ].join('\n')
}
