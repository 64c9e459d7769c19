import { startS3StandIn } from './start.ts'

/** The stand-in as a process; it takes the very settings by which a function finds its bucket. */
const { env } = process
const standIn = await startS3StandIn({
  port: Number(env['PORT'] ?? '8094'),
  hostname: env['HOST'] ?? '127.0.0.1',
  bucket: env['S3_BUCKET'] || 'attachments',
  region: env['S3_REGION'] || 'us-east-1',
  accessKeyId: env['S3_ACCESS_KEY_ID'] || 'local',
  secretAccessKey: env['S3_SECRET_ACCESS_KEY'] || 'local-secret',
  ...(env['DATA_DIR'] ? { folder: env['DATA_DIR'] } : {}),
})
console.log(JSON.stringify({ level: 'info', message: 'S3 stand-in listens', url: standIn.url }))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void standIn.close().then(() => process.exit(0)))
}
