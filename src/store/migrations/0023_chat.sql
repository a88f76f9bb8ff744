-- Chats: what they show, what people ask for there, and by whose hand a chat user was linked.

-- What a message shows: `case:…`, `digest:…`. Of one thing at one destination only the newest state is worth showing.
alter table outbox add column shows text not null default '';
create index outbox_shows on outbox (channel, shows);

-- Whose hand could have made a link: as of sessions. Empty where it was made before this was kept: then it could be anybody's.
alter table identities add column hand text not null default '';

-- What people asked for in a chat, written down before it is acknowledged there. The id is made of the chat's own name for the
-- click, so that one that comes twice is one. What was asked goes when it is done with; that it was stays for a while.
create table chat_inbox (
    id text not null primary key,
    channel text not null,
    body text not null,
    received_at bigint not null,
    attempts bigint not null default 0,
    lease_until bigint,
    done_at bigint,
    outcome text not null default ''
);
create index chat_inbox_waiting on chat_inbox (done_at, received_at);

-- The newest place of a destination, and what waits before a message in its lane: neither reads all that was ever shown.
create index outbox_seq on outbox (channel, seq);
create index outbox_lanes on outbox (channel, lane, seq) where state = 'pending';
