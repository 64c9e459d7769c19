import { parseEmail } from '../shared/identity/email.ts'
import { connect } from '../shared/store/connect.ts'
import { erasePerson } from '../shared/store/erase.ts'
import { runScript, Trouble } from './command-line/api.ts'
import { readCommand } from './command-line/read-command.ts'

const usage = `Usage: make erase EMAIL=… [ARGS=--yes]
Deletes all that this system keeps about a person, and leaves one row that says that it was done, by whom, and how much.
Without --yes it only counts. What stays elsewhere: events that the broker still keeps, backups, ServiceNow's tickets,
and logs. DATABASE_URL names the database, BY whoever does it (default: the operating system's user).`

async function main(): Promise<void> {
  const command = readCommand(usage, { flags: ['yes'] })
  const email = parseEmail(process.env['EMAIL'] ?? '')
  if (email === null) throw new Trouble('Say who: EMAIL=alice.johnson@company.com')
  const url = process.env['DATABASE_URL']
  if (!url) throw new Trouble('Set DATABASE_URL to the database (the demo prints its own).')
  const dry = !command.has('yes')
  const database = connect(url, { max: 1, name: 'erase' })
  try {
    const by = process.env['BY'] || process.env['USER'] || 'unknown'
    const erased = await erasePerson(database, { email, by, now: new Date(), dry })
    if (erased === null) throw new Trouble(`Nothing is kept about ${email}.`)
    for (const [table, rows] of Object.entries(erased)) console.log(`${String(rows).padStart(8)}  ${table}`)
    console.log(dry ? 'Nothing was deleted: add ARGS=--yes.' : 'Deleted.')
  } finally {
    await database.end({ timeout: 5 })
  }
}

runScript(main)
