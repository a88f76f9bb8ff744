-- What a message is, said by whoever puts it in. The messages of before said it in their bodies only. A body that is none of
-- these counts as an approval: that is the strictest kind, since it leaves only where the log holds its approval.
--
-- What the receiver called a message when it acknowledged it, where it gave it a name, and when, by the machine's clock.

alter table outbox add column kind text not null default 'approved';
update outbox set kind = 'not_seen' where body like '%"type":"reeve.recommendation.not_seen.v1"%';
update outbox set kind = 'stuck' where body like '%"type":"reeve.delivery.stuck.v1"%';
update outbox set kind = 'anchor' where body like '%"type":"reeve.audit.anchor.v1"%';
alter table outbox add column receipt text;
alter table outbox add column receipt_at bigint;
