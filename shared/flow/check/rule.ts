import type { ToolCatalogue } from '../../tools/catalogue.ts'
import type { Agent } from '../agent.ts'
import type { Finding } from './describe-issue.ts'

/** What a rule may know: the agent it judges, and what stands around it. */
export interface Subject {
  agent: Agent
  folder: string
  /** Names of all agents of the folder. */
  agents: ReadonlySet<string>
  tools: ToolCatalogue
  /** Names of the agent's tables, and of its documents. */
  tables: ReadonlySet<string>
  documents: ReadonlySet<string>
}

/** One thing that an agent must keep: every place where it does not. */
export type Rule = (subject: Subject) => Finding[]
