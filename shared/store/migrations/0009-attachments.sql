-- Files that employees send along. Their bytes are in S3; here is what a door has to know of them. The row is written
-- before the object, with an end that comes soon, so that an upload that was broken off leaves nothing behind.
create table attachments (
  id uuid primary key,
  tenant text not null default 'default',
  identity text not null,          -- whose: 'email:…'
  caller text not null,            -- subject of the token that sent it
  object text not null,            -- its key in the bucket: tenant and id, never the name
  name text not null,              -- the file's name, cleaned
  media_type text not null,
  bytes bigint not null check (bytes > 0),
  sha256 bytea,                    -- of the bytes; null: they are not all there
  created_at timestamptz not null,
  stored_at timestamptz,           -- null: the upload is under way, or was broken off
  expires_at timestamptz not null,
  request uuid references requests on delete set null, -- the message that it came with; null: not sent yet
  check ((stored_at is null) = (sha256 is null))
);
create index attachments_expiring on attachments (expires_at);
create index attachments_request on attachments (request) where request is not null;
create index attachments_identity on attachments (identity);
