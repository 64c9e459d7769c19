-- Who redrove or discarded a dead letter, when, and the new request that a redrive of a closed turn made.
alter table dead_letters
  add column decided_by text,
  add column decided_at timestamptz,
  add column redriven_as uuid;
create index dead_letters_stored on dead_letters (received_at, id) where state = 'stored';
