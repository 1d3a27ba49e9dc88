-- Whoever holds the token joins the workspace: no admin needs to know a password, and none can join an account by its e-mail alone.
create table workspaces.invitation (
  workspace_id int not null references workspaces.workspace,
  id uuid primary key,
  email text not null check (email = lower(email)),
  role text not null check (role in ('admin', 'editor', 'viewer')),
  -- The token is shown once; here stands only its SHA-256.
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index invitation_workspace on workspaces.invitation (workspace_id, created_at, id);
