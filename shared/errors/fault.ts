import { catalogue, type FaultClass, type FaultCode } from './catalogue.ts'

const marker = Symbol.for('self-service-agent.fault')

/**
 * The one error this system throws on purpose: a code of the catalogue, what exactly happened (for operators, never
 * with message text or secrets in it), and the cause.
 */
export class Fault extends Error {
  readonly [marker] = true
  readonly code: FaultCode
  readonly class: FaultClass
  readonly status: number
  readonly says: string | null
  /** Seconds after which a caller should try again, where the peer told us. */
  readonly retryAfter: number | undefined

  constructor(code: FaultCode, detail: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(detail, 'cause' in options ? { cause: options.cause } : undefined)
    const kind = catalogue[code]
    this.name = 'Fault'
    this.code = code
    this.class = kind.class
    this.status = kind.status
    this.says = kind.says
    this.retryAfter = options.retryAfter
  }

  /** True for a Fault of any bundled copy of this module. */
  static is(error: unknown): error is Fault {
    return typeof error === 'object' && error !== null && marker in error
  }
}
