-- Which step of its recommendation a message hands off: those of before had one step each.
--
-- What arrived is listed by when it did.

alter table outbox add column step bigint not null default 1;
create index outbox_sent on outbox (state, sent_at);
