import type { Offer } from '../flow/index.ts'
import type { Sql } from './connect.ts'

/** A person and every account by which they are known. */
export interface Reachable {
  person: string
  /** Scheme and value: 'email:alice@example.com', 'slack:T1/U2'. */
  identities: string[]
  /** Channels that get a copy of each answer. */
  copies: string[]
}

/** The person of an identity; null where nobody has it. */
export async function findReachable(sql: Sql, identity: string): Promise<Reachable | null> {
  const [row] = await sql<Reachable[]>`
    select i.person,
      -- As JSON: the driver, which looks no types up, gives an array as text.
      to_json(array(select identity from identities where person = i.person order by verified_at, identity)) as identities,
      to_json(coalesce((select copies from preferences where person = i.person), '{}')) as copies
    from identities i where i.identity = ${identity}`
  return row ?? null
}

/** A question that a turn put to somebody else: they have to hear of it. */
export interface AskedOfAnother {
  id: string
  /** Address of the one who decides. */
  by: string
  requester: string
  question: string
  expiresAt: Date
}

/** The open questions that this turn put to others. */
export async function findAskedOfOthers(sql: Sql, turn: string): Promise<AskedOfAnother[]> {
  return await sql<AskedOfAnother[]>`
    select a.id, a.person as by, p.email as requester, a.question, a.expires_at as "expiresAt"
    from approvals a join sessions s on s.id = a.session join people p on p.id = s.person
    where a.turn = ${turn} and a.state = 'open' and a.continuation is not null order by a.created_at, a.id`
}

/** The offer with which somebody decides on another's request. */
export function offerOf(asked: AskedOfAnother): Offer {
  return { kind: 'approval', id: asked.id, expiresAt: asked.expiresAt.toISOString() }
}
