-- Whether an answer helped the person whom it was for, as they said by a press.
create table feedback (
  turn uuid not null references turns on delete cascade,
  person uuid not null references people on delete cascade,
  good boolean not null,
  given_at timestamptz not null,
  primary key (turn, person)
);
create index feedback_person on feedback (person);
