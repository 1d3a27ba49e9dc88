-- Changed rules of identity are put in force by applying them to all that ever happened: asked for through the API, done
-- by the pipeline between two blocks, followed by anyone.
create table identity.rules_application (
  workspace_id int not null,
  id uuid primary key,
  rules jsonb not null,
  -- projecting: PostgreSQL is as the rules say, ClickHouse is being told.
  state text not null check (state in ('pending', 'running', 'projecting', 'done', 'failed')),
  requested_at timestamptz not null,
  requested_by text not null,
  started_at timestamptz,
  finished_at timestamptz,
  -- How often it was begun and neither finished nor given up on purpose: what kills the process is not tried for ever.
  attempts int not null default 0,
  -- Events read, over all passes.
  done bigint not null default 0,
  total bigint not null default 0,
  -- The version of the rules that it put in force.
  version int,
  changed_profiles bigint,
  -- The numbers under which ClickHouse is told, and whether events get other nodes.
  first_block bigint,
  last_block bigint,
  is_moving boolean,
  failure text
);
create unique index rules_application_unfinished on identity.rules_application (workspace_id)
  where state in ('pending', 'running', 'projecting');
create index rules_application_recent on identity.rules_application (workspace_id, requested_at, id);
