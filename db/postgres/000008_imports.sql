-- An import is a file with a mapping and how far it is read: what survives a restart, so that a run goes on where it was.
create schema imports;

-- The file itself, its lookups and its rejected rows lie in the data folder, below imports/<id>.
create table imports.import (
  workspace_id int not null references workspaces.workspace,
  id uuid primary key,
  name text not null,
  -- Null until the first run: one that is only looked at leaves no source behind.
  source text,
  state text not null default 'created' check (state in ('created', 'queued', 'running', 'done', 'failed', 'stopped')),
  -- json, not jsonb: it keeps the order that its author gave it, and every character.
  mapping json,
  file_name text,
  file_bytes bigint,
  -- {"product": {"name": "products.csv", "bytes": 1200}}
  lookups json not null default '{}',
  -- How the file was read, once it was: type, encoding, delimiter, columns.
  -- Quoted: FORMAT JSON is a phrase of the grammar.
  "format" json,
  -- Where a reader goes on, and how many bytes of the rejected rows belong to what stands before it.
  checkpoint json,
  rejects_bytes bigint not null default 0,
  rows bigint not null default 0,
  events bigint not null default 0,
  stored bigint not null default 0,
  deduplicated bigint not null default 0,
  rejected bigint not null default 0,
  rejected_by_reason json not null default '{}',
  bytes_read bigint not null default 0,
  error_code text,
  error_message text,
  -- Counts the times that a process took it up: one that was overtaken writes nothing more.
  attempt int not null default 0,
  is_stop_requested boolean not null default false,
  -- How fast it is, is told from how far it came since it was last taken up.
  resumed_at timestamptz,
  resumed_rows bigint not null default 0,
  resumed_bytes bigint not null default 0,
  progressed_at timestamptz,
  created_by uuid,
  created_at timestamptz not null,
  queued_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  is_file_removed boolean not null default false
);
create index import_workspace on imports.import (workspace_id, created_at desc, id);
create index import_waiting on imports.import (queued_at) where state in ('queued', 'running');
