-- Channels that are pushed to: what is owed to a conversation's thread goes there in its order.
alter table requests add column button uuid; -- the approval whose button was pressed to say it; null: typed

alter table deliveries
  add column place bigint generated always as identity, -- the order within a target
  add column person uuid references people on delete cascade, -- who reads it there
  add column thread text,             -- where on the channel; null: the channel needs none
  add column origin uuid,             -- the request whose message this answers there; null: a copy, or moved here
  add column offer jsonb,             -- what can be answered with one press (shared/flow Offer)
  add column reference text,          -- the channel's own id of what was sent
  add column next_try_at timestamptz, -- not before; null: at once
  drop constraint deliveries_state_check,
  add constraint deliveries_state_check check (state in ('pending', 'sending', 'delivered', 'given-up'));
drop index deliveries_pending;
create index deliveries_pending on deliveries (created_at) where state in ('pending', 'sending');
create index deliveries_person on deliveries (person) where person is not null;
create index deliveries_target on deliveries (target, place) where state in ('pending', 'sending');

-- Who sends to a target now. `sending` deliveries belong to the fence that marked them.
create table delivery_targets (
  target text primary key,
  fence int not null default 0,
  lease_until timestamptz,
  last_used_at timestamptz not null
);
create index delivery_targets_used on delivery_targets (last_used_at);

-- What a channel says of an account of its own, and until when that is believed.
alter table identities
  add column source text not null default 'first-message' check (source in ('first-message', 'channel', 'sign-in', 'operator')),
  add column believed_until timestamptz; -- null: until it is unlinked

-- Where a person wants to be answered beside the place they asked in.
create table preferences (
  person uuid primary key references people on delete cascade,
  copies text[] not null default '{}', -- channels that get each answer, too
  updated_at timestamptz not null
);

-- Progress of mailboxes: the highest UID that was taken, which counts only within one UIDVALIDITY (RFC 9051, 2.3.1.1).
create table mailboxes (
  mailbox text primary key,
  uid_validity bigint not null,
  last_uid bigint not null,
  lease_until timestamptz,
  fence int not null default 0
);
