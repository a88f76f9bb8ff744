-- Which process does work that only one at a time may do. token: grows with each new holder and never falls, so a holder that was
-- overtaken is known by it. until_ms, taken_at: by the database's clock; until_ms is 0 where the holder gave it back. process: says
-- on the same machine whether the holder still lives.

create table duties (
    name text not null primary key,
    token bigint not null,
    holder text not null,
    host text not null,
    pid bigint not null,
    process text not null,
    taken_at bigint not null,
    until_ms bigint not null
);
