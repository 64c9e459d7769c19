import { fileURLToPath } from 'node:url'
import { toFault } from '../shared/errors/to-fault.ts'
import { ingest, readKnowledge } from '../shared/knowledge/index.ts'
import { connect } from '../shared/store/connect.ts'
import { readCommand } from './command-line/read-command.ts'

readCommand(`Usage: DATABASE_URL=… npm run ingest
Brings the knowledge in the database in line with the agents' folders (AGENTS_DIR, default agents/) and prints what
changed: tables and documents that are new, that were replaced, and that are gone. To run it twice changes nothing.`)

async function ingestFolder(url: string, folder: string): Promise<void> {
  const knowledge = await readKnowledge(folder)
  const database = connect(url, { max: 1, name: 'ingest' })
  try {
    const { added, replaced, removed, unchanged } = await ingest(database, knowledge)
    for (const key of added) console.log(`Added ${key}`)
    for (const key of replaced) console.log(`Replaced ${key}`)
    for (const key of removed) console.log(`Removed ${key}`)
    console.log(`${unchanged.length} unchanged`)
  } finally {
    await database.end({ timeout: 5 })
  }
}

const url = process.env['DATABASE_URL']
try {
  if (url === undefined || url === '') throw new Error('Set DATABASE_URL to the database that takes the knowledge')
  await ingestFolder(url, process.env['AGENTS_DIR'] ?? fileURLToPath(new URL('../agents/', import.meta.url)))
} catch (error) {
  console.error(toFault(error).message)
  process.exitCode = 1
}
