-- Keys of programs. A secret is 256 random bits, so that its SHA-256 tells nothing of it.
create table api_keys (
  id uuid primary key,
  subject text not null,           -- whom its requests belong to; several keys may be one program's
  scopes text[] not null,
  hash bytea not null,
  previous_hash bytea,             -- of the secret before the last rotation
  previous_until timestamptz,      -- until when that one is still taken
  created_by text not null,        -- address of the person, or subject of the program
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz         -- within a minute
);

-- Links by which an account of a channel is tied to whoever signs in with one: the token's hash alone is kept.
create table identity_links (
  hash bytea primary key,
  identity text not null unique,   -- the newest link of an account takes the place of those before
  channel text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index identity_links_expires on identity_links (expires_at);

-- Who did what, and on whose behalf. Never a word of what was said.
create table audit (
  id bigint primary key generated always as identity,
  at timestamptz not null,
  actor text not null,             -- address of a person, or subject of a program
  on_behalf_of text,               -- address of another person; null: for themselves
  action text not null,            -- 'identity.linked'
  subject text not null,           -- what it was done to: 'slack:T1/U2'
  detail jsonb not null default '{}'
);
create index audit_at on audit (at);
create index audit_subject on audit (subject, at);

-- What of a person waits on one channel, which has a limit.
create index requests_waiting on requests (identity, channel) where state in ('accepted', 'queued');

-- Takes the person's turnstile, then says whether one more of theirs may wait. In one function, because only its second
-- statement sees what was committed while the first one waited: each statement of a volatile function has its own snapshot.
create function pass_turnstile(turnstile text, of_identity text, of_channel text, most int) returns boolean
language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(turnstile, 0));
  return most is null or most > (
    select count(*) from (
      select from requests
      where identity = of_identity and channel = of_channel and state in ('accepted', 'queued') limit most) waiting);
end $$;
