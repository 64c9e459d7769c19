import { describeChannel } from '../testing/case-table.ts'
import { longestMessage } from './blocks.ts'
import { startSlackWorld } from './testing/world.ts'

describeChannel('slack', longestMessage, async () => {
  const slack = await startSlackWorld()
  return slack.channel
})
