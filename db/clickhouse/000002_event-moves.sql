-- Changed rules give events other nodes. Where each event shall hang is gathered here, unseen by questions, so that the
-- events themselves are moved within moments of the new rules. Emptied before and after. No tokens: it is begun anew.
create table if not exists event_moves (
  month UInt32,
  lane UInt16,
  pos UInt64,
  ix UInt16,
  node UInt64,
  nodes Array(UInt64)
) engine = MergeTree
order by (month, lane, pos, ix)
settings fsync_after_insert = 1;
