import { type Environment, wholeNumber } from '../settings/environment.ts'
import { createLog } from '../telemetry/log.ts'
import type { HostedFunction } from './function.ts'
import { host } from './host.ts'

/**
 * The process around a hosted function: settings by the runtime's names (PORT or FUNC_PORT, FUNC_BODY_LIMIT,
 * LIVENESS_URL, READINESS_URL), SIGTERM and SIGINT drain and exit 0, an uncaught error is logged and exits 1 so that
 * the platform starts a new process.
 */
export async function run(name: string, hosted: HostedFunction, environment: Environment = process.env): Promise<void> {
  const log = createLog({ function: name })
  process.on('uncaughtException', (error) => die('uncaught exception', error))
  process.on('unhandledRejection', (error) => die('unhandled rejection', error))
  const die = (message: string, error: unknown): void => {
    log.error(message, { error })
    // Standard output may be a pipe: leave only once the line is out.
    process.stdout.write('', () => process.exit(1))
  }
  try {
    const running = await host(hosted, {
      name,
      log,
      port: wholeNumber(environment, 'PORT', wholeNumber(environment, 'FUNC_PORT', 8080, [0, 65_535]), [0, 65_535]),
      ...(environment['HOST'] ? { hostname: environment['HOST'] } : {}),
      bodyLimit: wholeNumber(environment, 'FUNC_BODY_LIMIT', 1_048_576, [1_024, 16_777_216]),
      drainMs: wholeNumber(environment, 'DRAIN_MS', 20_000, [0, 600_000]),
      ...(environment['LIVENESS_URL'] ? { livenessPath: environment['LIVENESS_URL'] } : {}),
      ...(environment['READINESS_URL'] ? { readinessPath: environment['READINESS_URL'] } : {}),
    })
    log.info('listening', { port: running.port })
    const stop = (signal: string): void => {
      log.info('draining', { signal })
      running.close().then(
        () => process.exit(0),
        (error: unknown) => die('shutdown failed', error),
      )
    }
    process.once('SIGTERM', () => stop('SIGTERM'))
    process.once('SIGINT', () => stop('SIGINT'))
  } catch (error) {
    die('start failed', error)
  }
}
