import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'

const line = z.object({ message: z.literal('event refused'), function: z.string(), code: z.string() })

/** How often each function refused an event so far, by its code, from the processes' logs: each time it came again. */
export async function countRefusals(logs: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const name of await readdir(logs)) {
    const text = await readFile(join(logs, name), 'utf8')
    for (const entry of text.split('\n')) {
      if (!entry.includes('"event refused"')) continue
      const parsed = line.safeParse(JSON.parse(entry))
      if (!parsed.success) continue
      const what = `${parsed.data.function} ${parsed.data.code}`
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
  }
  return counts
}
