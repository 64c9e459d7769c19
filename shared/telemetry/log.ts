export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

type Fields = Record<string, unknown>

const order: Record<Level, number> = { debug: 10, info: 20, warn: 30, error: 40 }

/** Fields whose values never reach a log line, whatever they hold: secrets, and what people wrote. */
const withheld = /^(authorization|cookie|password|secret|token|api_?key|x-sn-apikey|content|message_text|text|said)$/i

/**
 * A logger of one JSON object a line on standard output, as Kubernetes collects it.
 * Lines below `level` (default LOG_LEVEL, then info) are left out.
 */
export function createLog(
  base: Fields = {},
  options: { level?: Level; write?: (line: string) => void; now?: () => Date } = {},
): Log {
  const threshold = order[options.level ?? levelFrom(process.env['LOG_LEVEL'])]
  const write = options.write ?? ((line: string) => void process.stdout.write(`${line}\n`))
  const now = options.now ?? (() => new Date())
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}): void => {
      if (order[level] < threshold) return
      write(JSON.stringify({ time: now().toISOString(), level, message, ...base, ...redact(fields) }))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function redact(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (withheld.test(name)) return [name, '[withheld]']
      if (value instanceof Error) return [name, describe(value)]
      return [name, value]
    }),
  )
}

function describe(error: Error): Fields {
  const cause = error.cause instanceof Error ? { cause: describe(error.cause) } : {}
  return { name: error.name, message: error.message, stack: error.stack, ...cause }
}

function levelFrom(name: string | undefined): Level {
  return name === 'debug' || name === 'warn' || name === 'error' ? name : 'info'
}
