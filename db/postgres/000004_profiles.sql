-- What is known of each identifier, from whom; a profile is a view over the fragments of its identifiers.
create schema profiles;
create extension if not exists pg_trgm with schema public;
create extension if not exists btree_gin with schema public;

-- traits: JSON text of a Fragment (src/profiles/fragment.ts). Text, not jsonb: nothing queries inside, and jsonb would reorder
-- keys and refuse \u0000.
create table profiles.fragment (
  workspace_id int not null,
  node bigint not null,
  source text not null,
  -- A device may turn out to be shared: its assertions are kept one by one, each with its time.
  is_by_message boolean not null,
  traits text not null,
  primary key (workspace_id, node, source)
);

-- Fragments grow by appending; merging is commutative, so a read folds these in and a job moves them over.
create table profiles.fragment_delta (
  workspace_id int not null,
  node bigint not null,
  source text not null,
  block bigint not null,
  is_by_message boolean not null,
  traits text not null,
  primary key (workspace_id, node, source, block)
);
create index fragment_delta_block on profiles.fragment_delta (block);

create table profiles.counter (
  workspace_id int not null,
  node bigint not null,
  events bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (workspace_id, node)
) with (fillfactor = 80);

create table profiles.counter_delta (
  workspace_id int not null,
  node bigint not null,
  block bigint not null,
  events bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (workspace_id, node, block)
);
create index counter_delta_block on profiles.counter_delta (block);

-- For lists and search only; everything else is folded from fragments when asked.
create table profiles.profile (
  workspace_id int not null,
  node bigint not null,
  kind text not null check (kind in ('person', 'company')),
  public_id uuid not null,
  name text,
  email text,
  phone text,
  search text,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (workspace_id, node)
) with (fillfactor = 80);
create index profile_recent on profiles.profile (workspace_id, kind, last_seen_at desc, node desc);
create index profile_search on profiles.profile using gin (workspace_id, kind, search gin_trgm_ops);

-- What each block changed, so that it can be projected again after a crash, and, later, be heard by audiences:
-- 'map' (the node leads to another profile), 'profile' (its traits or members changed).
create table profiles.outbox (
  block bigint not null,
  workspace_id int not null,
  kind text not null,
  node bigint not null,
  primary key (block, workspace_id, kind, node)
);

-- Per trait: who wins where sources or times disagree. Absent: the latest by event time, the CRM before all others.
create table profiles.trait_policy (
  workspace_id int not null,
  trait text not null,
  rule text not null,
  sources text[] not null,
  primary key (workspace_id, trait)
);
