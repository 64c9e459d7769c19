import { type ComposedWorld, composeWorld, type WorldOptions } from './compose-world.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

export { agentsFolder } from './compose-world.ts'

/** The whole system for a conversation test, on a database of its own. */
export interface World extends ComposedWorld {
  db: TestDatabase
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const db = await createTestDatabase()
  const world = await composeWorld(db.database, options)
  return {
    ...world,
    db,
    close: async () => {
      await world.close()
      await db.drop()
    },
  }
}
