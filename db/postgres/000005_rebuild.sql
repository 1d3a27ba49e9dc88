-- A rebuild makes everything that is derived anew from the log: asked for here, done by the pipeline, followed by anyone.
create table events.rebuild (
  id uuid primary key,
  requested_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  -- How far each lane had been written when the rebuild began: {"1": 120}.
  target jsonb
);
create unique index rebuild_unfinished on events.rebuild ((true)) where finished_at is null;
