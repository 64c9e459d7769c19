import { mockCatalogue, startServiceNow } from './start.ts'

const configured: Record<string, string | undefined> = {
  'laptop-refresh': process.env['SERVICENOW_LAPTOP_REFRESH_ID'],
  licence: process.env['SERVICENOW_LICENCE_ID'],
  help: process.env['SERVICENOW_HELP_ID'],
}
const dataFile = process.env['DATA_FILE']

const mock = await startServiceNow({
  port: Number(process.env['PORT'] ?? '8090'),
  hostname: process.env['HOST'] ?? '127.0.0.1',
  catalogue: mockCatalogue.map((item) => ({ ...item, id: configured[item.kind] ?? item.id })),
  ...(dataFile === undefined || dataFile === '' ? {} : { dataFile }),
})
console.log(JSON.stringify({ level: 'info', message: 'ServiceNow mock listens', url: mock.url }))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void mock.close().then(() => process.exit(0)))
}
