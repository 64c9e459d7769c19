/** The channels whose askers fetch the answer themselves: storing it delivers it. */
export const readByAsker = ['web', 'cli', 'tool', 'generic'] as const

export type ReadByAsker = (typeof readByAsker)[number]

export function isReadByAsker(channel: string): channel is ReadByAsker {
  return readByAsker.some((known) => known === channel)
}
