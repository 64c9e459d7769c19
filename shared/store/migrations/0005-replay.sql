-- What running a step again takes beside what it asked and was told. Null in steps that were journalled before.
alter table steps
  add column flow jsonb,           -- where the turn's first step found the flow; null: at its start. Of later steps it follows
  add column approval text,        -- the state in which the step found the approval that the flow named
  add column state_hash bytea,     -- SHA-256 of the flow's state after the step, as canonical JSON
  add column agent_version bytea,  -- SHA-256 of the agent's file
  add column agents_version bytea; -- SHA-256 over the versions of all agents: each may read of the others
