/** What a function reads its settings from: process.env, or a test's own map. */
export type Environment = Record<string, string | undefined>

/** The setting, or an Error whose one sentence says what to set. */
export function required(environment: Environment, name: string, meaning: string): string {
  const value = environment[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set: it is ${meaning}.`)
  return value
}

/** The setting as a whole number within bounds, or the default where it is not set. */
export function wholeNumber(
  environment: Environment,
  name: string,
  fallback: number,
  bounds: [number, number],
): number {
  const value = environment[name]
  if (value === undefined || value === '') return fallback
  const number = Number(value)
  if (!Number.isInteger(number) || number < bounds[0] || number > bounds[1]) {
    throw new Error(`${name} is "${value}": it takes a whole number from ${bounds[0]} to ${bounds[1]}.`)
  }
  return number
}

/** The setting as yes or no; no where it is not set. */
export function flag(environment: Environment, name: string): boolean {
  const value = (environment[name] ?? '').toLowerCase()
  if (value !== '' && value !== 'true' && value !== 'false') throw new Error(`${name} is "${value}": true or false.`)
  return value === 'true'
}
