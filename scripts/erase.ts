import { openObjectStore } from '../shared/attachments/object-store.ts'
import { readObjectStoreSettings } from '../shared/attachments/settings.ts'
import { parseEmail } from '../shared/identity/email.ts'
import { connect } from '../shared/store/connect.ts'
import { erasePerson, leftToKeeper } from '../shared/store/erase.ts'
import { runScript, Trouble } from './command-line/api.ts'
import { readCommand } from './command-line/read-command.ts'

const usage = `Usage: make erase EMAIL=… [ARGS=--yes]
Deletes all that this system keeps about a person, and leaves one row that says that it was done, by whom, and how much.
Without --yes it only counts. What stays: what other people wrote about them in conversations of their own; and elsewhere,
events that the broker still keeps, backups, ServiceNow's tickets, and logs. DATABASE_URL names the database, S3_BUCKET and its siblings (docs/attachments.md) where the
person's files are, BY whoever does it (default: the operating system's user).`

async function main(): Promise<void> {
  const command = readCommand(usage, { flags: ['yes'] })
  const email = parseEmail(process.env['EMAIL'] ?? '')
  if (email === null) throw new Trouble('Say who: EMAIL=alice.johnson@company.com')
  const url = process.env['DATABASE_URL']
  if (!url) throw new Trouble('Set DATABASE_URL to the database (the demo prints its own).')
  const dry = !command.has('yes')
  const bucket = readObjectStoreSettings(process.env)
  const store = bucket === null ? null : openObjectStore(bucket)
  const database = connect(url, { max: 1, name: 'erase' })
  try {
    const by = process.env['BY'] || process.env['USER'] || 'unknown'
    const erased = await erasePerson(database, {
      ...{ email, by, now: new Date(), dry },
      ...(store === null ? {} : { deleteObject: (key) => store.delete(key) }),
    })
    if (erased === null) throw new Trouble(`Nothing is kept about ${email}.`)
    for (const [table, rows] of Object.entries(erased)) console.log(`${String(rows).padStart(8)}  ${table}`)
    const left = erased[leftToKeeper]
    if (left !== undefined) {
      console.log(
        `S3_BUCKET is not set: ${left} files stay until the keeper's next tick for keeping house (each hour).`,
      )
    }
    if (dry && store === null && erased['attachments'] !== 0) {
      console.log(
        'S3_BUCKET is not set: the files would be left to the keeper, which deletes them within an hour or so.',
      )
    }
    console.log(dry ? 'Nothing was deleted: add ARGS=--yes.' : 'Deleted.')
  } finally {
    await store?.close()
    await database.end({ timeout: 5 })
  }
}

runScript(main)
