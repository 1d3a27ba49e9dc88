-- Who may do what where: every other table hangs on a workspace, and every way in on a user, a session or a key.
create schema workspaces;

create table workspaces.workspace (
  id int generated always as identity primary key,
  slug text not null unique,
  name text not null,
  -- Secret of this workspace: profile ids are keyed hashes under it, so that they reveal no identifier.
  identity_key bytea not null,
  settings jsonb not null default '{}',
  created_at timestamptz not null,
  archived_at timestamptz
);

create table workspaces.account (
  id uuid primary key,
  email text not null unique check (email = lower(email)),
  name text not null,
  password_hash text not null,
  created_at timestamptz not null
);

create table workspaces.membership (
  workspace_id int not null references workspaces.workspace,
  account_id uuid not null references workspaces.account on delete cascade,
  role text not null check (role in ('admin', 'editor', 'viewer')),
  created_at timestamptz not null,
  primary key (workspace_id, account_id)
);
create index membership_account on workspaces.membership (account_id);

create table workspaces.session (
  -- The cookie holds the token; here stands only its SHA-256.
  token_hash bytea primary key,
  account_id uuid not null references workspaces.account on delete cascade,
  workspace_id int not null references workspaces.workspace,
  csrf_token text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null
);
create index session_account on workspaces.session (account_id);

create table workspaces.api_key (
  workspace_id int not null references workspaces.workspace,
  id uuid primary key,
  name text not null,
  role text not null check (role in ('admin', 'editor', 'viewer')),
  -- First characters, so that people can tell keys apart.
  prefix text not null,
  key_hash bytea not null unique,
  created_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index api_key_workspace on workspaces.api_key (workspace_id, created_at);

create table workspaces.sign_in_failure (
  -- Keyed by e-mail and by address, each hashed: enough to count, nothing to read.
  key_hash bytea not null,
  at timestamptz not null
);
create index sign_in_failure_key on workspaces.sign_in_failure (key_hash, at);
