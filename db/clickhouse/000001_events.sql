-- The projection that questions are asked of. Everything here can be rebuilt from PostgreSQL.
create table if not exists events (
  workspace_id UInt32,
  node UInt64,
  timestamp DateTime64(3, 'UTC'),
  nodes Array(UInt64),
  type LowCardinality(String),
  event LowCardinality(String),
  source LowCardinality(String),
  group_id String,
  message_id String,
  received_at DateTime64(3, 'UTC'),
  revenue Nullable(Decimal(18, 4)),
  currency LowCardinality(String),
  url String,
  referrer String,
  campaign_source LowCardinality(String),
  campaign_medium LowCardinality(String),
  campaign_name LowCardinality(String),
  properties JSON(max_dynamic_paths = 256),
  body String codec(ZSTD(1)),
  block UInt64,
  lane UInt16,
  pos UInt64,
  ix UInt16,
  index by_group group_id type bloom_filter granularity 4
) engine = MergeTree
partition by toYYYYMM(timestamp)
order by (workspace_id, node, timestamp)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Where an identifier leads to another profile than its own. node_profile holds what is settled, node_profile_recent
-- what the last minute changed; two dictionaries, because the small one reloads in milliseconds.
create table if not exists node_profile (
  node UInt64,
  profile UInt64,
  version UInt64
) engine = ReplacingMergeTree(version)
order by node
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1;

create table if not exists node_profile_recent (
  node UInt64,
  profile UInt64,
  version UInt64
) engine = ReplacingMergeTree(version)
order by node
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1;

-- Shared devices only: who used it when. Ends are exclusive; a withdrawn interval is replaced by the next version.
create table if not exists node_owner (
  node UInt64,
  from_at DateTime64(3, 'UTC'),
  to_at DateTime64(3, 'UTC'),
  profile UInt64,
  version UInt64
) engine = MergeTree
order by (node, version)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1;

create table if not exists profiles (
  workspace_id UInt32,
  profile UInt64,
  kind LowCardinality(String),
  traits JSON(max_dynamic_paths = 256),
  first_seen_at DateTime64(3, 'UTC'),
  version UInt64,
  is_deleted UInt8
) engine = ReplacingMergeTree(version, is_deleted)
order by (workspace_id, profile)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1;

create dictionary if not exists node_profile_settled (node UInt64, profile UInt64)
primary key node
source(clickhouse(query 'select node, argMax(profile, version) as profile from node_profile group by node'))
layout(flat(initial_array_size 1024 max_array_size 500000000))
lifetime(0);

create dictionary if not exists node_profile_new (node UInt64, profile UInt64)
primary key node
source(clickhouse(query 'select node, argMax(profile, version) as profile from node_profile_recent group by node'))
layout(hashed())
lifetime(0);

create dictionary if not exists node_owner_range (node UInt64, from_at DateTime64(3, 'UTC'), to_at DateTime64(3, 'UTC'), profile UInt64)
primary key node
source(clickhouse(query 'select node, from_at, to_at, profile from node_owner where (node, version) in (select node, max(version) from node_owner group by node)'))
layout(range_hashed())
range(min from_at max to_at)
lifetime(0);

-- The catalogue as events told it: every "Product Updated" is one state of one product.
create table if not exists product_states (
  workspace_id UInt32,
  product_id String,
  timestamp DateTime64(3, 'UTC'),
  message_id String,
  sku String,
  name String,
  category String,
  price Nullable(Decimal(18, 4)),
  cost Nullable(Decimal(18, 4)),
  currency String
) engine = ReplacingMergeTree
order by (workspace_id, product_id, timestamp, message_id);

create materialized view if not exists product_states_from_events to product_states as
select
  workspace_id,
  toString(properties.product_id) as product_id,
  timestamp,
  message_id,
  toString(properties.sku) as sku,
  toString(properties.name) as name,
  toString(properties.category) as category,
  toDecimal64OrNull(toString(properties.price), 4) as price,
  toDecimal64OrNull(toString(properties.cost), 4) as cost,
  toString(properties.currency) as currency
from events
where type = 'track' and event = 'Product Updated';

create view if not exists products as
select
  workspace_id,
  product_id,
  argMax(sku, (timestamp, message_id)) as sku,
  argMax(name, (timestamp, message_id)) as name,
  argMax(category, (timestamp, message_id)) as category,
  argMax(price, (timestamp, message_id)) as price,
  argMax(cost, (timestamp, message_id)) as cost,
  argMax(currency, (timestamp, message_id)) as currency
from product_states
group by workspace_id, product_id;
