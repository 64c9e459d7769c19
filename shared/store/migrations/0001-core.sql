-- People and the identities that were proven to be theirs.
create table people (
  id uuid primary key default gen_random_uuid(),
  email text not null unique check (email = lower(email)),
  created_at timestamptz not null default now()
);

create table identities (
  identity text primary key, -- scheme and value: 'email:alice@example.com'
  person uuid not null references people on delete cascade,
  verified_at timestamptz not null default now()
);
create index identities_person on identities (person);

-- One open conversation a person. The row is the lock under which everything about the session is decided.
create table sessions (
  id uuid primary key,
  tenant text not null default 'default',
  person uuid not null references people on delete cascade,
  state text not null default 'open' check (state in ('open', 'closed')),
  agent text,              -- null: the router
  flow jsonb,              -- where the conversation stands between turns (shared/flow FlowState)
  turn uuid,               -- the open turn; null: idle
  last_message int not null default 0,
  pending_event text,      -- the newest stored event that moves this session on; null: nothing is owed
  pending_since timestamptz,
  republished int not null default 0,
  input_tokens int not null default 0,
  output_tokens int not null default 0,
  model_calls int not null default 0,
  max_input_tokens int not null default 0,
  max_output_tokens int not null default 0,
  max_total_tokens int not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create unique index sessions_one_open on sessions (person) where state = 'open';
-- What the repair tick looks for: sessions that are owed an event.
create index sessions_pending on sessions (pending_since) where pending_event is not null;

-- What a door accepted. A request.created event without its row is forged.
create table requests (
  id uuid primary key,
  accepted bigint generated always as identity,
  tenant text not null default 'default',
  caller text not null,            -- subject of the token that asked
  identity text not null,          -- whom it is for: 'email:…'
  channel text not null,           -- web, cli, tool, generic
  channel_message text,            -- the channel's own id of the message
  idempotency_key text,
  body_hash text not null,
  request_type text not null default 'message',
  content text not null,
  metadata jsonb not null default '{}',
  context jsonb not null default '{}', -- the channel's own fields: user agent, command, tool …
  target jsonb not null,           -- where the answer goes: channel and thread
  traceparent text not null,
  event text not null,             -- the request.created event, as published
  state text not null default 'accepted' check (state in ('accepted', 'queued', 'answered', 'failed')),
  session uuid references sessions on delete cascade,
  message int,
  response jsonb,
  republished int not null default 0,
  accepted_at timestamptz not null default now(),
  answered_at timestamptz
);
create unique index requests_channel_message on requests (channel, channel_message) where channel_message is not null;
create unique index requests_idempotency on requests (caller, idempotency_key) where idempotency_key is not null;
create index requests_unqueued on requests (identity, accepted) where state = 'accepted';
create index requests_lost on requests (accepted_at) where state = 'accepted';
create index requests_session on requests (session, message);

-- The session's queue and history, in one order.
create table messages (
  session uuid not null references sessions on delete cascade,
  number int not null,
  role text not null check (role in ('employee', 'agent')),
  content text not null,
  request uuid references requests on delete set null,
  turn uuid,
  state text not null check (state in ('queued', 'taken', 'done')),
  created_at timestamptz not null,
  primary key (session, number)
);
create index messages_queued on messages (session, number) where state = 'queued';

create table turns (
  id uuid primary key,
  session uuid not null references sessions on delete cascade,
  message int not null,
  request uuid not null,
  agent text not null,
  state text not null default 'open' check (state in ('open', 'waiting', 'answered', 'failed')),
  step int not null default 0,     -- the step that may run next: the compare-and-set of law 4
  flow jsonb,                      -- the working copy; null: the agent starts its flow. Becomes the session's when answered
  said jsonb not null default '[]',
  response text,                   -- the response-ready event, as stored
  delivered boolean not null default false,
  releases int not null default 0, -- how often a tick took the turn up again after waiting for the model
  republished int not null default 0,
  input_tokens int not null default 0,
  output_tokens int not null default 0,
  opened_at timestamptz not null,
  deadline timestamptz not null,
  finished_at timestamptz
);
create index turns_session on turns (session, opened_at);
create index turns_waiting on turns (opened_at) where state = 'waiting';
create index turns_undelivered on turns (finished_at) where finished_at is not null and not delivered;
create index turns_deadline on turns (deadline) where state in ('open', 'waiting');

-- The journal: what each step asked, what it was told, and what that cost.
create table steps (
  turn uuid not null references turns on delete cascade,
  number int not null,
  agent text not null,
  name text not null,              -- the flow's step that made the call
  kind text not null,              -- decide, extract, compose, call, flow
  prompt_hash text,
  request jsonb,                   -- what was asked: arguments of a tool, messages of a model
  answer jsonb,                    -- what came back, as it came
  reads jsonb not null default '[]', -- records and passages that the step looked up
  input_tokens int not null default 0,
  output_tokens int not null default 0,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  primary key (turn, number)
);

-- A question that only a yes of the named person answers, once, for exactly these arguments.
create table approvals (
  id uuid primary key,
  session uuid not null references sessions on delete cascade,
  turn uuid not null,
  step text not null,
  tool text not null,
  arguments jsonb not null,
  arguments_hash text not null,
  person text not null,            -- e-mail address of the one who may say yes
  state text not null default 'open' check (state in ('open', 'granted', 'declined', 'expired', 'used')),
  expires_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  created_at timestamptz not null
);
create index approvals_open on approvals (expires_at) where state = 'open';
create index approvals_session on approvals (session);

-- The ledger of calls: a row before the call, its outcome after.
create table tool_calls (
  turn uuid not null references turns on delete cascade,
  step int not null,
  tool text not null,
  arguments jsonb not null,
  approval uuid references approvals,
  not_after timestamptz,
  state text not null default 'started' check (state in ('started', 'done', 'failed', 'parked')),
  outcome jsonb,
  started_at timestamptz not null,
  finished_at timestamptz,
  primary key (turn, step)
);
create unique index tool_calls_approval on tool_calls (approval) where approval is not null;

create table deliveries (
  turn uuid not null references turns on delete cascade,
  target text not null,            -- canonical form of the request's target
  channel text not null,
  content text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'given-up')),
  attempts int not null default 0,
  last_error text,
  created_at timestamptz not null,
  delivered_at timestamptz,
  primary key (turn, target)
);
create index deliveries_pending on deliveries (created_at) where state = 'pending';

-- Once: one row for each event a consumer took. `leased` rows belong to the fence that wrote them.
create table inbox (
  consumer text not null,
  source text not null,
  event text not null,
  state text not null check (state in ('leased', 'finished')),
  fence int not null default 1,
  attempts int not null default 1,
  lease_until timestamptz,
  reply text,                      -- the event that the stage answered with; null: an empty 204
  received_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (consumer, source, event)
);
create index inbox_finished on inbox (finished_at) where state = 'finished';

create table dead_letters (
  id uuid primary key,
  event text not null,             -- the event as it was given up
  event_type text not null,
  session uuid,
  turn uuid,
  failed_at text,                  -- knativeerrordest
  error_code int,                  -- knativeerrorcode
  error_data text,                 -- knativeerrordata, decoded
  outcome text not null check (outcome in ('closed', 'republished', 'recorded')),
  state text not null default 'stored' check (state in ('stored', 'redriven', 'discarded')),
  received_at timestamptz not null
);
create index dead_letters_received on dead_letters (received_at);
