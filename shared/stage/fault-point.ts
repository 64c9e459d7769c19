const control = process.env['FAULT_CONTROL'] ?? ''

/**
 * A named instant at which the reliability harness may strike this process: it may kill it, hold it as long as it
 * likes, cut its connections, or have it throw. In production, where FAULT_CONTROL is not set, it does nothing.
 * Returns true where the answer that is about to be sent is to be lost on its way.
 * @throws Error where the harness says so: a fault that nobody foresaw
 */
export async function faultPoint(name: string): Promise<boolean> {
  if (control === '') return false
  const response = await fetch(control, { method: 'POST', body: JSON.stringify({ point: name, pid: process.pid }) })
  const order = await response.text()
  if (order === 'throw') throw new Error(`fault at ${name}`)
  return order === 'lose'
}
