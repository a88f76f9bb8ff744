-- Events from outside, each kept as it came before it was acknowledged. The id is the hook's name and the sender's id; it
-- stays when the words are forgotten, so that an event never counts twice.

create table events (
    id text not null primary key,
    source text not null,
    received_at bigint not null,
    type text,
    state text not null,
    reason text,
    tries bigint not null default 0,
    tried_at bigint,
    retry_at bigint,
    seen bigint,
    body text not null,
    hash text not null
);
create index events_state on events (state, received_at);
create index events_words on events (received_at) where body <> '';

create table hook_calls (
    source text not null primary key,
    calls bigint not null,
    last_at bigint not null
);
