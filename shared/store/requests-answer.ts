import type { Sql } from './connect.ts'

/**
 * Answers a request that never reached a session: its asker reads the sentence, and it is not queued later. False
 * where it was queued or answered meanwhile.
 */
export async function failRequest(
  sql: Sql,
  options: { request: string; content: string; now: Date },
): Promise<boolean> {
  const response = {
    content: options.content,
    agent_id: 'system',
    metadata: {},
    processing_time_ms: 0,
    requires_followup: false,
    followup_actions: [],
  }
  const rows = await sql`
    update requests set state = 'failed', answered_at = ${options.now}, response = ${JSON.stringify(response)}::text::jsonb
    where id = ${options.request} and state = 'accepted'
    returning 1`
  return rows.length > 0
}
