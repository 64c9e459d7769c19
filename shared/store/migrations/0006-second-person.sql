-- An approval that somebody else gives: the flow that waits for it stands here, while the conversation goes on.
alter table approvals
  add column question text not null default '',  -- what the person was asked, as they read it
  add column agent text,                         -- null: the employee's own yes; else the agent that goes on
  add column continuation jsonb,                 -- where that agent's flow goes on (shared/flow FlowState)
  add column request uuid;                       -- the request in whose turn it was asked: where the answer goes
create index approvals_of_others on approvals (person) where state = 'open' and continuation is not null;

-- The decision, or its expiry, enters the employee's queue like a message, once.
alter table requests add column approval uuid references approvals on delete set null;
create unique index requests_decision on requests (approval) where approval is not null;
alter table messages drop constraint messages_role_check,
  add constraint messages_role_check check (role in ('employee', 'approver', 'agent'));
