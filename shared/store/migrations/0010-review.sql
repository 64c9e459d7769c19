-- A request that is deleted looks for the message that names it.
create index messages_request on messages (request) where request is not null;
-- Leases and claims that nobody ended are kept no longer than what ended.
create index inbox_abandoned on inbox (lease_until) where state = 'leased';
create index writes_unfinished on writes (not_after) where finished_at is null;
