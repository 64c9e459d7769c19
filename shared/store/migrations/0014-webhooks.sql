-- Addresses of programs that answers are pushed to. No secret is kept: it follows from the id, the version and a key of ours.
create table webhooks (
  id uuid primary key,
  owner text not null,          -- subject of the token that registered it: only its requests may name it
  email text,                   -- the address of that token, where it is a person's
  url text not null,
  version int not null default 1, -- of its signing secret
  rotated_at timestamptz,       -- since when this version signs; the one before signs along for a while
  created_at timestamptz not null,
  disabled_at timestamptz       -- it answered 410 Gone
);
create index webhooks_owner on webhooks (owner, created_at);
create index webhooks_email on webhooks (email) where email is not null;
