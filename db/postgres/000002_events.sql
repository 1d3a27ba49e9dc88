-- The log is the truth: an event is acknowledged when its group stands here, committed and fsynced.
create schema sources;
create schema events;

create table sources.source (
  workspace_id int not null references workspaces.workspace,
  slug text not null,
  name text not null,
  kind text not null,
  -- Public by nature (it stands in web pages), so kept readable.
  write_key text not null unique,
  is_enabled boolean not null default true,
  settings jsonb not null default '{}',
  created_at timestamptz not null,
  archived_at timestamptz,
  primary key (workspace_id, slug)
);

-- One row is what one accepter committed together for one workspace: zstd of one JSON line an event. Reading by
-- (lane, pos) is safe because a lane has one writer at a time, so its order is its commit order.
create table events.log (
  workspace_id int not null,
  lane smallint not null,
  pos bigint not null,
  events int not null,
  received_at timestamptz not null,
  body bytea not null,
  primary key (lane, pos, received_at)
) partition by range (received_at);
alter table events.log alter column body set storage external;

create function events.ensure_log_partition(day date) returns void language plpgsql as $$
declare
  partition text := 'log_' || to_char(day, 'YYYYMMDD');
begin
  if to_regclass('events.' || partition) is null then
    perform pg_advisory_xact_lock(7070070708);
    execute format('create table if not exists events.%I partition of events.log for values from (%L) to (%L)',
      partition, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
  end if;
end $$;

create table events.lane (
  lane smallint primary key,
  pos bigint not null default 0
) with (fillfactor = 50);

-- Exact for 30 days over all sources of a workspace. Partitions by hash keep uniqueness, which partitions by time cannot.
-- A day of null never expires: rows of files, so that importing one again years later still changes nothing.
create table events.dedupe (
  workspace_id int not null,
  message uuid not null,
  day date,
  primary key (workspace_id, message)
) partition by hash (message);
do $$ begin
  for part in 0..15 loop
    execute format('create table events.dedupe_%s partition of events.dedupe for values with (modulus 16, remainder %s)', part, part);
    execute format('create index on events.dedupe_%s using brin (day)', part);
  end loop;
end $$;

create table events.rejected (
  workspace_id int not null,
  id bigint generated always as identity,
  source text not null,
  received_at timestamptz not null,
  reason text not null,
  detail text not null,
  -- What was sent, as it was sent (cut at a limit): kept so that it can be seen, mended and sent again.
  payload bytea not null,
  is_cut boolean not null default false,
  state text not null default 'open' check (state in ('open', 'resent', 'discarded')),
  primary key (workspace_id, id)
);
create index rejected_reason on events.rejected (workspace_id, reason, id);

-- sent = the sum of all outcomes. One row per lane, so that accepters do not wait for each other's commits.
create table events.accounting (
  workspace_id int not null,
  source text not null,
  minute timestamptz not null,
  lane smallint not null,
  -- 'stored', 'deduplicated' or the reason of a rejection.
  outcome text not null,
  events bigint not null,
  primary key (workspace_id, source, minute, lane, outcome)
) with (fillfactor = 70);

-- What the pipeline has taken from each lane.
create table events.cursor (
  lane smallint primary key,
  pos bigint not null
) with (fillfactor = 50);

-- A block is what the pipeline processed in one transaction and then wrote to ClickHouse under one token. While it is
-- open, ClickHouse may lack it; recovery writes it again under the same token.
create table events.block (
  block bigint primary key,
  -- [{"lane": 1, "from": 12, "to": 40}]: the log groups it holds.
  ranges jsonb not null,
  -- Messages that were set aside while processing, so that a repeated block has the same rows.
  excluded text[] not null default '{}',
  rows int not null,
  is_open boolean not null,
  at timestamptz not null
);
create index block_open on events.block (block) where is_open;

-- Grows with each new holder of the pipeline's lock, and proves in every transaction that it is still the newest.
create table events.epoch (
  name text primary key,
  epoch bigint not null
);
