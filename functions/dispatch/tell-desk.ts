import type { Sql } from '../../shared/store/connect.ts'
import type { NewDelivery, Target } from '../../shared/store/deliveries.ts'
import { findDeskNews } from '../../shared/store/handoffs.ts'
import { readTranscript } from '../../shared/store/transcript.ts'

const reasons = {
  asked: 'asks for a person',
  'budget-spent': 'needs a person: the assistant has used up what it may spend',
  failed: 'needs a person: the assistant failed',
}

/**
 * What whoever takes conversations over should hear of a turn: that one is theirs now, what the employee says to them, and
 * that the agent has it again. Null: nothing of the kind.
 */
export async function newsForDesk(sql: Sql, turn: string, desk: Target): Promise<NewDelivery | null> {
  const news = await findDeskNews(sql, turn)
  if (news === null) return null
  const { ticket, person } = news
  const content = {
    opened: async () => {
      const conversation = await readTranscript(sql, news.approval, person)
      return `**${ticket}**: ${person} ${reasons[news.why]}.\n\n${conversation}`
    },
    said: async () => `**${ticket}**: ${person} writes:\n\n${news.words}`,
    back: async () => `**${ticket}**: ${person} goes on with the agent; the ticket stays open.`,
  }
  return { turn, person: null, target: desk, content: await content[news.kind](), offer: null, origin: null }
}

/** The place that HANDOFF_SLACK_CHANNEL names, as `T0123/C0456`; null: none. @throws Error for anything else */
export function readDesk(setting: string | undefined): Target | null {
  if (setting === undefined || setting === '') return null
  if (/^[TE][A-Z0-9]+\/[CG][A-Z0-9]+$/.test(setting)) return { channel: 'slack', thread: setting }
  throw new Error(`HANDOFF_SLACK_CHANNEL is "${setting}": it takes the ids of a workspace and a channel, T0123/C0456.`)
}
