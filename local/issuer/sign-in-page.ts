import { createHash } from 'node:crypto'

export interface Person {
  name: string
  email: string
  location: string
}

const style = `
:root { color-scheme: light dark; --back: light-dark(#f4f5f8, #14161b); --card: light-dark(#fff, #1d2027);
  --ink: light-dark(#1b1f29, #e9ebf0); --soft: light-dark(#565d6d, #a2a9b8); --line: light-dark(#dfe2e9, #31353f);
  --accent: light-dark(#3b4fd8, #98a5ff); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; }
p { margin: 0 0 1.5rem; color: var(--soft); }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); }
button { width: 100%; padding: .75rem 1rem; font: inherit; text-align: left; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; cursor: pointer; }
button:hover { border-color: var(--accent); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button span { display: block; color: var(--soft); font-size: .875rem; }
.none { margin-top: 1.5rem; background: none; border: 0; width: auto; padding: .5rem; color: var(--accent); }
`

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const inert = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? '')

/** Scripts never, styles only this one; the form leads to us, and from us to the client (RFC 6749, section 10.13). */
export function pagePolicy(clientOrigin: string): string {
  const hash = createHash('sha256').update(style).digest('base64')
  return `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self' ${clientOrigin}; frame-ancestors 'none'; base-uri 'none'`
}

/** The people of the demo to choose from; whoever sits at this machine is believed. */
export function signInPage(people: readonly Person[], query: URLSearchParams): string {
  const hidden = [...query]
    .map(([name, value]) => `<input type="hidden" name="${inert(name)}" value="${inert(value)}">`)
    .join('')
  const choices = people
    .map(
      ({ name, email, location }) =>
        `<li><button name="as" value="${inert(email)}">${inert(name)}<span>${inert(email)}</span><span>${inert(location)}</span></button></li>`,
    )
    .join('\n')
  return frame(
    'Sign in to the demo',
    `<h1>Who are you today?</h1>
<p>This stands in for your company's sign-in. It asks for no password and runs on this machine alone.</p>
<form method="post" action="/authorize">${hidden}<ul>
${choices}
</ul><button class="none" name="as" value="">Do not sign in</button></form>`,
  )
}

export function refusalPage(why: string): string {
  return frame('Cannot sign in', `<h1>This sign-in cannot go on</h1><p>${inert(why)}</p>`)
}

function frame(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${style}</style></head><body><main>${body}</main></body></html>
`
}
