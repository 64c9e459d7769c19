import type { Caller } from '../../../shared/identity/caller.ts'
import type { WebRoute } from '../routes.ts'
import { openPage, type Page } from './page.ts'
import { readSession } from './session.ts'
import { createSignIn, noPage, type SignIn, type SignInParts } from './sign-in.ts'

export interface Web {
  /** The person of the session cookie; null where the request has none. @throws Fault `identity.cross-site`, `identity.invalid` */
  person(request: Request): Promise<Caller | null>
  answer(kind: WebRoute['kind'], request: Request, name: string): Promise<Response>
}

/** The page and the sign-in to it; null: this deployment has none. */
export function createWeb(parts: SignInParts | null): Web {
  if (parts === null) {
    return {
      person: async () => null,
      answer: () => Promise.reject(noPage()),
    }
  }
  const { settings, now } = parts
  const page: Page = openPage(settings.folder)
  const signIn: SignIn = createSignIn(parts)
  return {
    person: (request) => readSession(request, settings, now()),
    async answer(kind, request, name) {
      switch (kind) {
        case 'page':
          return await page.page(request, 'index.html')
        case 'link-page':
          return await page.page(request, 'link.html')
        case 'settings-page':
          return await page.page(request, 'settings.html')
        case 'asset':
          return await page.asset(request, name)
        case 'sign-in':
          return await signIn.begin(request)
        case 'signed-in':
          return await signIn.finish(request)
        case 'sign-out':
          return signIn.end(request)
      }
    },
  }
}
