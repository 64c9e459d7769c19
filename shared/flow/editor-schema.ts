import * as z from 'zod/mini'
import { agentFile } from './schema.ts'

/** The JSON Schema (2020-12) of agent.yaml, as text: what an editor checks and completes by. */
export function editorSchema(): string {
  const schema = { title: 'An agent', ...z.toJSONSchema(agentFile, { io: 'input', reused: 'ref' }) }
  // Short lists on one line, as the formatter writes them: the file is in git.
  const text = JSON.stringify(schema, null, 2).replace(
    /\[\s+("[^"]*"(?:,\s+"[^"]*")*)\s+\]/g,
    (list, members: string) => {
      const line = `[${members.replace(/\s+/g, ' ')}]`
      return line.length < 80 ? line : list
    },
  )
  return `${text}\n`
}
