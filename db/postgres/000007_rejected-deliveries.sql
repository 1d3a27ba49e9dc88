-- A delivery to a webhook that its mapping could not read is kept and mended as a delivery: to be read again it takes the
-- headers that the mapping reads (no others: they may hold secrets). Null: the payload is one event.
alter table events.rejected add column delivery_headers jsonb;
