-- Whether the model has answered lately: the tick's one question before it releases the turns that wait for it.
create index steps_model on steps (finished_at) where prompt_hash is not null;
