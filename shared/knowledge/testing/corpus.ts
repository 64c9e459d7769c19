import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A small help desk's policies, made up for tests of searching. */
export const policies = {
  'badge.md': `# Building badges

A badge opens the doors of the building you work in.

## Lost badge
Report a lost badge to reception, phone 4400, before you leave for home. Reception blocks it within a minute.

## Visitors
Register every visitor in the portal doors.example.com one day ahead. A visitor badge ends at 18:00.
`,
  'backup.md': `# Backup and restore

## What is kept
Files in the home folder are copied every night at 02:00 and kept for 90 days. Files on the desktop are not copied.

## Restoring a file
Right-click the folder and choose Earlier versions. A file older than 90 days cannot be restored.
`,
  'mail.md': `# E-mail

## Mailbox size
A mailbox holds 50 GB. Outlook warns you at 45 GB.

## Shared mailboxes
A shared mailbox needs two owners. Ask for it in the portal mail.example.com; it appears in Outlook within 2 hours.

## Phishing
Do not click. Forward a suspicious message to phish@example.com, then delete it.
`,
  'monitors.md': `# Monitors and docks

## Home office monitor
Every employee may order one monitor of the type XPS-13-9340 or U2723QE for the home office.

## Returning equipment
Bring a monitor that you no longer use to the equipment room, building C, on Tuesdays from 9:00 to 11:00.
`,
  'passwords.md': `# Passwords

## Changing your password
Change your password at id.example.com every 180 days. It must have 14 characters.

## Forgotten password
Choose "Forgotten" at id.example.com and confirm the code on your phone. Without your phone, call 4357.

## Locked account
An account is locked after 6 wrong attempts and opens again by itself after 30 minutes.
`,
  'printing.md': `# Printing

## Adding a printer
Open the settings, choose Printers, and pick the queue FOLLOW-ME. Any printer then gives you your pages.

## Paper jam
Open flap B, pull the paper out in the direction of the arrow, and close the flap again.

## Out of toner
Toner is replaced by the printer's supplier. The printer orders it by itself; there is no need to call.
`,
  'vpn.md': `# VPN

The VPN connects your laptop to the company network from outside.

## Connecting
Start GlobalGate, choose the gateway vpn.example.com and sign in. The VPN ends after 12 hours.

## Error 809
Error 809 means that a firewall on the way blocks UDP port 4500. Use another network, such as a phone hotspot.

## Travelling abroad
From a country on the restricted list, the VPN works only after the security team has released it for your trip.
`,
  'wifi.md': `# Wi-Fi

## Staff network
Laptops join the network CORP-STAFF by themselves with their certificate.

## Guests
Guests use the network CORP-GUEST. The reception prints a voucher that is valid for one day.
`,
} as const

/** Writes an agents folder with the given files (`help/knowledge/vpn.md`) and returns it with what removes it. */
export async function writeAgents(files: Record<string, string | Uint8Array>) {
  const folder = await mkdtemp(join(tmpdir(), 'self-service-agent-agents-'))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
