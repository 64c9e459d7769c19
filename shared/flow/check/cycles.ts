import { resume } from '../agent.ts'
import { edgesOf } from '../edges.ts'
import type { Rule } from './rule.ts'

/** What stops a round: the employee says something new, or the world does. */
const breaks = new Set(['ask', 'confirm', 'approve', 'call', 'lookup', 'search', 'handoff', 'end'])

/**
 * No way round that neither asks the employee nor calls anything. A model does not break a round: asked the same about the
 * same words it answers the same, and code may answer in its place.
 */
export const cycles: Rule = ({ agent }) => {
  const names = Object.keys(agent.steps).filter((name) => !breaks.has(agent.steps[name]?.verb ?? ''))
  const done = new Set<string>()
  for (const name of names) {
    const round = roundFrom(name, [], done)
    if (round !== null) {
      const way = [...round, round[0]].join(' → ')
      return [{ path: ['steps', round[0] ?? name], message: `${way} goes round without asking or calling anything` }]
    }
  }
  return []

  function roundFrom(name: string, way: string[], finished: Set<string>): string[] | null {
    const seen = way.indexOf(name)
    if (seen !== -1) return way.slice(seen)
    if (finished.has(name)) return null
    for (const { to } of edgesOf(agent, name)) {
      if (to === resume || !names.includes(to)) continue
      const round = roundFrom(to, [...way, name], finished)
      if (round !== null) return round
    }
    finished.add(name)
    return null
  }
}
