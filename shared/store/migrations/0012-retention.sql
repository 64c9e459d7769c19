-- All conversations of a person, closed ones too: what they wait for, and what goes with them when they are erased.
create index sessions_person on sessions (person);

-- What keeps a closed session: somebody's decision that is waited for, or that nothing has used. Few at any time.
create index approvals_waiting on approvals (session) where state in ('open', 'granted') and continuation is not null;
