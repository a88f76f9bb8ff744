-- Hand-off: messages of one lane (a case) leave one after the other for each destination; what executors report; how each
-- destination is doing.

alter table outbox add column lane text not null default '';
alter table outbox add column about text not null default '';
alter table outbox add column seq bigint not null default 0;
alter table outbox add column expires_at bigint;
create index outbox_lane on outbox (channel, lane, seq);
create index outbox_about on outbox (about);

-- The id is the destination's name and the id of its call: the same call again is the same report.
create table hand_off_reports (
    id text not null primary key,
    message_id text not null references outbox (id),
    destination text not null,
    seq bigint not null,
    state text not null,
    note text not null,
    reference text not null,
    said_at bigint,
    received_at bigint not null,
    hash text not null
);
create index hand_off_reports_message on hand_off_reports (message_id, seq);

create table destinations (
    name text not null primary key,
    failing_since bigint,
    last_error text,
    resting_until bigint,
    disabled_at bigint,
    disabled_why text,
    told_at bigint
);
