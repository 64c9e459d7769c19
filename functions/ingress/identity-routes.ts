import type { IdentityRoute } from './routes.ts'

/** The routes to people's accounts and programs' keys; a part of the table in functions/ingress/routes.ts. */
export const identityRoutes: readonly IdentityRoute[] = [
  {
    kind: 'me',
    method: 'GET',
    path: '/api/v1/me',
    who: 'person',
    cookie: true,
    summary: 'Who you are here: your accounts, where your answers go, and where they could go',
  },
  {
    kind: 'preferences',
    method: 'PUT',
    path: '/api/v1/me/preferences',
    who: 'person',
    cookie: true,
    summary: 'Where each of your answers goes beside the place in which you asked',
  },
  {
    kind: 'show-link',
    method: 'GET',
    path: '/api/v1/me/link',
    who: 'person',
    cookie: true,
    summary: 'Which account a link is about',
  },
  {
    kind: 'link',
    method: 'POST',
    path: '/api/v1/me/identities',
    who: 'person',
    cookie: true,
    summary: 'Confirm that the account of a link is yours',
  },
  {
    kind: 'unlink',
    method: 'DELETE',
    path: '/api/v1/me/identities/{identity}',
    who: 'person',
    cookie: true,
    summary: 'An account is not yours any more',
  },
  {
    kind: 'api-keys',
    method: 'GET',
    path: '/api/v1/api-keys',
    who: 'api-keys:manage',
    summary: 'The keys of programs, newest first',
  },
  {
    kind: 'create-api-key',
    method: 'POST',
    path: '/api/v1/api-keys',
    who: 'api-keys:manage',
    summary: 'A key for a program, with no scope that you lack',
  },
  {
    kind: 'rotate-api-key',
    method: 'POST',
    path: '/api/v1/api-keys/{id}/secret',
    who: 'api-keys:manage',
    summary: 'A new secret, beside which the old one is taken for a while',
  },
  {
    kind: 'revoke-api-key',
    method: 'DELETE',
    path: '/api/v1/api-keys/{id}',
    who: 'api-keys:manage',
    summary: 'End a key',
  },
]
