import { readFile } from 'node:fs/promises'

/**
 * Whether what started this process lets a closed terminal pass, as `nohup make demo` does. Node.js itself forgets what
 * it inherited of that. False where the system does not tell.
 */
export async function isHangUpIgnored(): Promise<boolean> {
  const status = await readFile(`/proc/${process.ppid}/status`, 'utf8').catch(() => '')
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'
  // The lowest bit stands for signal 1, SIGHUP.
  return (BigInt(`0x${mask}`) & 1n) === 1n
}
