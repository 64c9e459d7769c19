-- A person has taken a conversation over: the agent is silent in it until the row is released.
create table handoffs (
  id uuid primary key,                 -- of the approval under which the ticket was filed
  session uuid not null references sessions on delete cascade,
  turn uuid not null,                  -- the one that filed it
  why text not null check (why in ('asked', 'budget-spent', 'failed')),
  ticket text not null,                -- its number in ServiceNow
  state text not null default 'open' check (state in ('open', 'released')),
  opened_at timestamptz not null,
  told_at timestamptz not null,        -- when the employee last heard who has it, in full
  released_at timestamptz,
  released_by text                     -- an address or subject; 'ticket': ServiceNow has closed it
);
create unique index handoffs_one_open on handoffs (session) where state = 'open';
create index handoffs_session on handoffs (session);
create index handoffs_opened on handoffs (opened_at, id);

-- A turn failed, and this asks a person to take over: nothing that anybody could send.
alter table requests add column after_failure uuid; -- the turn that failed

-- A word of the system's own in a conversation: a turn failed, and a person is asked to take over.
alter table messages drop constraint messages_role_check;
alter table messages add constraint messages_role_check check (role in ('employee', 'approver', 'agent', 'system'));

-- Conversations are listed newest first.
create index sessions_created on sessions (created_at, id);
