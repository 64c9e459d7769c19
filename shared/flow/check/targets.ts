import { resume, type Target } from '../agent.ts'
import { edgesOf } from '../edges.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'

/** Every way leads to a step that is there; every step can be reached; `$resume` only after something was asked. */
export const targets: Rule = ({ agent }) => {
  const findings: Finding[] = []
  if (!Object.hasOwn(agent.steps, agent.start)) {
    findings.push({ path: ['start'], message: `there is no step "${agent.start}"` })
  }
  const judged = new Set<string>()
  for (const name of Object.keys(agent.steps)) {
    for (const { to, path } of edgesOf(agent, name)) {
      const place = path.join('/')
      if (to === resume || Object.hasOwn(agent.steps, to) || judged.has(place)) continue
      judged.add(place)
      findings.push({ path, message: `there is no step "${to}"` })
    }
  }
  if (findings.length > 0) return findings
  const reached = reach(agent.start, (name) => edgesOf(agent, name).map(({ to }) => to))
  for (const name of Object.keys(agent.steps)) {
    if (!reached.has(name)) findings.push({ path: ['steps', name], message: `step "${name}" is never reached` })
  }
  const unasked = reach(agent.start, (name) => {
    const verb = agent.steps[name]?.verb
    return verb === 'ask' || verb === 'confirm' ? [] : edgesOf(agent, name).map(({ to }) => to)
  })
  const asks = new Set(
    Object.keys(agent.steps).filter((name) => ['ask', 'confirm'].includes(agent.steps[name]?.verb ?? '')),
  )
  const places = new Map<string, Finding>()
  for (const name of [...unasked].filter((one) => !asks.has(one) && Object.hasOwn(agent.steps, one))) {
    for (const { to, path } of edgesOf(agent, name)) {
      if (to !== resume) continue
      places.set(path.join('/'), { path, message: '$resume can come before anything was asked' })
    }
  }
  return [...findings, ...places.values()]
}

function reach(start: string, waysFrom: (name: string) => Target[]): Set<string> {
  const reached = new Set([start])
  for (const name of reached) for (const to of waysFrom(name)) if (to !== resume) reached.add(to)
  return reached
}
