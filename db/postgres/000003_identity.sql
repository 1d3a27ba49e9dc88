-- Who is who: identifiers, what events showed about them, and whom that makes of them (docs/reference/identity.md).
create schema identity;

-- Processes take node numbers a thousand at a time: dense, so that ClickHouse can keep the map as a flat array.
create sequence identity.node_number increment by 1000;

create table identity.node (
  workspace_id int not null,
  id bigint primary key,
  namespace text not null,
  value text not null,
  -- The keyed hash of namespace and value: serves look-ups by value and by profile id alike.
  public_id uuid not null,
  -- Event time. Null while only an alias or an operator has named it.
  first_seen_at timestamptz,
  -- The node that represents its profile; 0: a device of several people, see identity.owner.
  profile bigint not null,
  unique (workspace_id, public_id)
) with (fillfactor = 90);
-- Most nodes are their own profile and need no entry here.
create index node_profile on identity.node (workspace_id, profile) where profile <> id;

-- A login was seen beside a contact or device. One row per pair, the first in the order of the rules; for devices with
-- two or more logins every event, for there the same pair means different people at different times.
create table identity.claim (
  workspace_id int not null,
  node bigint not null,
  login bigint not null,
  at timestamptz not null,
  message_id text not null,
  source text not null,
  strength smallint not null,
  primary key (workspace_id, node, login, at, message_id)
);
create index claim_login on identity.claim (workspace_id, login);

-- Two identifiers were seen together without a login.
create table identity.link (
  workspace_id int not null,
  a bigint not null,
  b bigint not null,
  at timestamptz not null,
  message_id text not null,
  source text not null,
  strength smallint not null,
  primary key (workspace_id, a, b, at, message_id)
);
create index link_b on identity.link (workspace_id, b);

-- Login a was known as login b before.
create table identity.alias (
  workspace_id int not null,
  a bigint not null,
  b bigint not null,
  at timestamptz not null,
  message_id text not null,
  source text not null,
  primary key (workspace_id, a, b)
);
create index alias_b on identity.alias (workspace_id, b);

-- What operators decided. An undo may be read before what it takes back: then only its half of the row is there.
create table identity.decision (
  workspace_id int not null,
  id text not null,
  -- The merge or split as it stands in the log.
  body jsonb,
  nodes bigint[] not null default '{}',
  rest bigint[] not null default '{}',
  at timestamptz,
  undone_at timestamptz,
  undone_by text,
  primary key (workspace_id, id)
);
create index decision_nodes on identity.decision using gin (nodes);
create index decision_rest on identity.decision using gin (rest);

-- Unions that a rule forbade. u and v are whom the evidence about a and b was for.
create table identity.refusal (
  workspace_id int not null,
  u bigint not null,
  v bigint not null,
  kind text not null check (kind in ('merge', 'alias', 'claim', 'link')),
  a bigint not null,
  b bigint not null,
  rule text not null check (rule in ('split', 'unique', 'limit')),
  -- Whose limit it was.
  namespace text,
  at timestamptz not null,
  message_id text not null,
  source text not null,
  strength smallint not null,
  primary key (workspace_id, u, v, a, b, at, message_id)
);
create index refusal_v on identity.refusal (workspace_id, v);

-- Whose a shared device was: [from_at, to_at), without gaps.
create table identity.owner (
  workspace_id int not null,
  node bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  profile bigint not null,
  primary key (workspace_id, node, from_at)
);
create index owner_profile on identity.owner (workspace_id, profile);

-- Each change of the rules is a version; the newest is in force.
create table identity.rules (
  workspace_id int not null,
  version int not null,
  rules jsonb not null,
  created_at timestamptz not null,
  created_by text not null,
  primary key (workspace_id, version)
);
