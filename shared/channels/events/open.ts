import { Fault } from '../../errors/fault.ts'
import type { Door, DoorParts, Environment } from '../channel.ts'
import { openEventsDoor } from './door.ts'
import { readKeys } from './keys.ts'
import { readIntegrations } from './read-integrations.ts'

/**
 * Reads EVENT_KEYS and the files of INTEGRATIONS_DIR. One file with a fault keeps all out, as one agent's does: half a
 * configuration is none.
 * @throws Fault `channel.misconfigured`
 */
export async function openDoor(
  environment: Environment,
  parts: Pick<DoorParts, 'receive' | 'now' | 'log'>,
  channels: readonly string[],
): Promise<Door> {
  const folder = environment['INTEGRATIONS_DIR'] || 'integrations'
  try {
    const keys = readKeys(environment['EVENT_KEYS'] ?? '')
    const { integrations, faults } = await readIntegrations(folder)
    const [first] = faults
    if (first !== undefined) throw new Error(`${first.file}:${first.line}: ${first.message}`)
    return openEventsDoor({ keys, integrations, channels }, parts)
  } catch (cause) {
    parts.log.error('the events channel cannot be opened', { error: cause })
    throw new Fault('channel.misconfigured', 'events', { cause })
  }
}
