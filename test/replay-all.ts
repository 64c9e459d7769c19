import { type Replay, replayTurn } from '../functions/agent/replay/replay-turn.ts'
import type { Agents } from '../shared/flow/index.ts'
import type { Database } from '../shared/store/connect.ts'
import { findRecordedTurn, type RecordedTurn } from '../shared/store/recorded-turn.ts'

/** Reads every finished turn of a database, in a transaction in which Postgres refuses to write. */
async function readFinished(database: Database): Promise<RecordedTurn[]> {
  const turns = await database.begin('read only', async (sql) => {
    const rows = await sql<
      { id: string }[]
    >`select id from turns where response is not null order by opened_at, session, message`
    const found: RecordedTurn[] = []
    for (const { id } of rows) {
      const turn = await findRecordedTurn(sql, id)
      if (turn !== null) found.push(turn)
    }
    return found
  })
  return turns
}

/** Runs every finished turn of a database again. */
export async function replayAll(database: Database, agents: Agents): Promise<Replay[]> {
  const replays: Replay[] = []
  for (const turn of await readFinished(database)) replays.push(await replayTurn(turn, agents))
  return replays
}
