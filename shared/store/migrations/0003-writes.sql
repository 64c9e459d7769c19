-- The tool server's own claim on a write: one row a key (the approval's id), one owner who may POST.
create table writes (
  key uuid primary key,
  tool text not null,
  arguments_hash text not null,
  person text not null,
  -- claimed:  its owner may be posting, or died doing so.
  -- released: its owner knows that nothing was posted; the next caller may claim it (fence + 1).
  -- done, refused: the outcome is known and final.
  -- unknown:  it may have been filed and could not be looked up; a person was told.
  state text not null check (state in ('claimed', 'released', 'done', 'refused', 'unknown')),
  fence int not null default 1,
  not_after timestamptz not null,
  outcome jsonb,                   -- done: the tool's result; refused: {code}
  claimed_at timestamptz not null, -- by the first owner
  finished_at timestamptz
);
create index writes_finished on writes (finished_at) where finished_at is not null;
