import * as z from 'zod/mini'
import { parseEmail } from '../../shared/identity/email.ts'

/** An e-mail address in a body or a query, in its one spelling. */
export const address = z.pipe(
  z.string().check(z.maxLength(255)),
  z.transform((text, context) => {
    const email = parseEmail(text)
    if (email !== null) return email
    context.issues.push({ code: 'custom', message: 'not an e-mail address', input: undefined })
    return z.NEVER
  }),
)
