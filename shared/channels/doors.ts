import type { Door, DoorCall, DoorParts, DoorRoute, Environment } from './channel.ts'
import { configuredChannels, settingsFor } from './registry.ts'

/** The doors of this deployment's channels, each opened with its first call. */
export interface Doors {
  routes: readonly DoorRoute[]
  /** The answer of the door that the route belongs to. */
  answer(route: DoorRoute, call: DoorCall): Promise<Response>
  close(): Promise<void>
}

export function openDoors(environment: Environment, parts: DoorParts): Doors {
  const opened = new Map<string, Promise<Door>>()
  const configured = configuredChannels(environment)
  const settings = settingsFor(environment, 'door')
  const open = (name: string): Promise<Door> => {
    const known = opened.get(name)
    if (known !== undefined) return known
    const door = configured
      .find((channel) => channel.name === name)
      ?.openDoor?.(settings.get(name) ?? environment, parts)
    if (door === undefined) return Promise.reject(new Error(`channel ${name} has routes and no door`))
    opened.set(name, door)
    // A start that failed is tried again with the next call.
    door.catch(() => opened.delete(name))
    return door
  }
  const owners = new Map(configured.flatMap(({ name, routes = [] }) => routes.map((route) => [route, name] as const)))
  return {
    routes: [...owners.keys()],
    answer: async (route, call) => (await open(owners.get(route) ?? '')).answer(call),
    async close() {
      for (const door of await Promise.allSettled(opened.values())) {
        if (door.status === 'fulfilled') await door.value.close?.()
      }
    },
  }
}
