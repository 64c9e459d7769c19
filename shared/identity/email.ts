/** Printable ASCII alone: a letter like the Kelvin sign lower-cases to "k", and would make one person another. */
const form = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,62}$/

/** The one spelling under which this system knows an e-mail address (trimmed, lower case); null where it is none. */
export function parseEmail(text: string): string | null {
  const trimmed = text.trim()
  if (trimmed.length > 254 || !/^[\x21-\x7e]+$/.test(trimmed)) return null
  const email = trimmed.toLowerCase()
  return form.test(email) ? email : null
}
