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
      write(toLine({ time: now().toISOString(), level, message, ...base, ...redact(fields) }))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Characters of one text that a line keeps: a detail may quote an answer of megabytes. */
const longest = 4_000
/** What JSON leaves as it is but a terminal acts on, or a reader does not see. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]|\p{Default_Ignorable_Code_Point}/gu

function toLine(fields: Fields): string {
  return JSON.stringify(fields, (_name, value: unknown) => (typeof value === 'string' ? cut(value) : value)).replace(
    unseen,
    (sign) => Array.from({ length: sign.length }, (_, at) => escapeUnit(sign.charCodeAt(at))).join(''),
  )
}

function cut(text: string): string {
  if (text.length <= longest) return text
  return `${text.slice(0, longest)}… (${text.length - longest} characters more)`
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
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
