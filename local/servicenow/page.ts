import type { Ticket } from './tickets.ts'

const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => names[character] ?? character)

/** The page a person looks at to see which tickets were opened, newest first. */
export function ticketsPage(tickets: Ticket[], nameOf: (sysId: string) => string, titleOf: (item: string) => string) {
  const rows = [...tickets].reverse().map((ticket) => {
    const details = Object.entries(ticket.variables)
      .filter(([name]) => name !== 'who_is_this_request_for')
      .map(([name, value]) => `${escapeHtml(name)}: ${escapeHtml(value)}`)
      .join('<br>')
    const cells = [
      escapeHtml(ticket.number),
      escapeHtml(titleOf(ticket.item)),
      escapeHtml(nameOf(ticket.requested_for)),
      details,
    ]
    return `<tr>${[...cells, escapeHtml(ticket.opened_at)].map((cell) => `<td>${cell}</td>`).join('')}</tr>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>ServiceNow mock</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .5rem; border-bottom: 1px solid #8884 }
</style>
</head>
<body>
<h1>ServiceNow mock</h1>
<p>A local process that speaks the parts of ServiceNow's REST API which the agents use. It holds ${tickets.length} ticket(s).</p>
<table><thead><tr><th>Number</th><th>Item</th><th>For</th><th>Details</th><th>Opened (UTC)</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
</body>
</html>
`
}
