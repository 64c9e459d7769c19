create extension if not exists pg_trgm;

-- One row a file of an agent's knowledge folder; replaced as a whole, recognised by its content hash.
create table knowledge_sources (
  agent text not null,
  name text not null,              -- the table's or document's name
  kind text not null check (kind in ('records', 'document')),
  content_hash text not null,
  ingested_at timestamptz not null default now(),
  primary key (agent, name)
);

-- Records are looked up exactly. Values are kept as the file spells them.
create table records (
  agent text not null,
  name text not null,
  number int not null,
  fields jsonb not null,
  primary key (agent, name, number),
  foreign key (agent, name) references knowledge_sources on delete cascade
);
create index records_fields on records using gin (fields jsonb_path_ops);

-- Documents are cut at their headings and searched. A word weighs by where it stands: heading, title, text. Joined
-- words are taken apart, so that XPS-13 and XPS 13 are the same (and -13 is no number below zero).
create table passages (
  agent text not null,
  name text not null,
  number int not null,
  title text not null,
  heading text not null,           -- '': before the first heading
  content text not null,
  words tsvector not null generated always as (
    setweight(to_tsvector('english', translate(heading, '-_/', '   ')), 'A')
    || setweight(to_tsvector('english', translate(title, '-_/', '   ')), 'B')
    || setweight(to_tsvector('english', translate(content, '-_/', '   ')), 'D')
  ) stored,
  primary key (agent, name, number),
  foreign key (agent, name) references knowledge_sources on delete cascade
);
create index passages_words on passages using gin (words);

-- How the documents spell their words, for queries that spell them otherwise.
create table spellings (
  agent text not null,
  name text not null,
  spelled text not null,           -- 'wi-fi'
  folded text not null,            -- 'wifi'
  primary key (agent, name, spelled),
  foreign key (agent, name) references knowledge_sources on delete cascade
);
create index spellings_near on spellings (agent, left(folded, 1), length(folded));
