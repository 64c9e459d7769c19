import { loadAgents } from '../load.ts'
import { Conversation, sampleAgents, type World } from './conversation.ts'

/** The sample agents, loaded once for a test file. */
export const agents = await loadAgents(sampleAgents)

/** A conversation with the sample agent that replaces laptops. */
export function laptops(world: Partial<World> = {}): Conversation {
  return new Conversation(agents, 'laptops', world)
}

/** The same, where it asks which laptop. */
export function atPick(world: Partial<World> = {}): Conversation {
  const talk = laptops(world)
  talk.say('refresh')
  talk.say('yes')
  return talk
}

/** The same, where it asks whether to order three of the second laptop. */
export function atConfirm(): Conversation {
  const talk = atPick()
  talk.say('2')
  talk.world.values = { seats: 3, reason: 'the old one is slow' }
  talk.say('3 for CC-1234, the old one is slow')
  return talk
}

/** What the last message needed of the world. */
export function kinds(talk: Conversation): string[] {
  return talk.effects.map(({ kind }) => kind)
}
