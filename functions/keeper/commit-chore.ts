import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Database, Transaction } from '../../shared/store/connect.ts'

/** One item of a chore in one transaction; nothing of it is published before it is committed. */
export async function commitChore<Result>(
  database: Database,
  chore: string,
  work: (sql: Transaction) => Promise<Result>,
): Promise<Result> {
  const result = await database.begin(async (sql) => {
    const result = await work(sql)
    await faultPoint(`keeper: before ${chore} commit`)
    return result
  })
  await faultPoint(`keeper: after ${chore} commit`)
  return result as Result
}
