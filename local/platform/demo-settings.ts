import { join } from 'node:path'
import { type Environment, wholeNumber } from '../../shared/settings/environment.ts'
import { demoPorts, type Ports } from './plan.ts'

export interface DemoSettings {
  /** Where the demo keeps its data and logs. */
  data: string
  ports: Ports
}

/**
 * Where the demo lives: DEMO_DATA_DIR (.data of the checkout), API_PORT, SERVICENOW_PORT, and DEMO_PORT_BASE, which
 * moves the ports that only the processes themselves use (8091 to 8106).
 * @throws Error whose one sentence names the variable at fault.
 */
export function readDemoSettings(environment: Environment, root: string): DemoSettings {
  const { ingress, servicenowMock, ...inner } = demoPorts
  const highest = Math.max(...Object.values(inner))
  const lowest = inner.issuer
  const base = wholeNumber(environment, 'DEMO_PORT_BASE', lowest, [1_024, 65_535 - (highest - lowest)])
  const ports: Ports = {
    ingress: wholeNumber(environment, 'API_PORT', ingress, [1, 65_535]),
    servicenowMock: wholeNumber(environment, 'SERVICENOW_PORT', servicenowMock, [1, 65_535]),
    issuer: base,
    broker: base + inner.broker - lowest,
    model: base + inner.model - lowest,
    s3: base + inner.s3 - lowest,
    slack: base + inner.slack - lowest,
    normalize: base + inner.normalize - lowest,
    route: base + inner.route - lowest,
    agent: base + inner.agent - lowest,
    dispatch: base + inner.dispatch - lowest,
    keeper: base + inner.keeper - lowest,
    servicenow: base + inner.servicenow - lowest,
  }
  const seen = new Map<number, string>()
  for (const [name, port] of Object.entries(ports)) {
    const other = seen.get(port)
    if (other !== undefined) throw new Error(`Port ${port} is asked for twice, by ${other} and ${name}: move one.`)
    seen.set(port, name)
  }
  return { data: environment['DEMO_DATA_DIR'] || join(root, '.data'), ports }
}
