-- What the retention looks for, so that it never walks a table.
create index sessions_expiring on sessions (expires_at) where state = 'open';
create index sessions_closed on sessions (updated_at) where state = 'closed';
create index requests_finished on requests (answered_at) where state in ('answered', 'failed');
create index dead_letters_decided on dead_letters (decided_at) where state <> 'stored';

-- That a person's data was deleted, by whom and how much: the one row that stays, with no word about the person in it.
create table erasures (
  id uuid primary key,
  person_hash text not null,       -- SHA-256 of the e-mail address: answers "was this one deleted?", not "who was?"
  erased_by text not null,
  erased_at timestamptz not null,
  rows jsonb not null              -- how many of each table
);
