-- What has changed since somebody looked: the items and suppliers that changed records are about, each with the count of changes
-- (counters, 'records') at which it changed last. kind: 'item', 'supplier', or 'all' for what everything hangs on.
-- An exception's version counts how often it has been written: while it is the same, so is the exception.

create table changed (
    kind text not null,
    id text not null,
    n bigint not null,
    primary key (kind, id)
);
create index changed_n on changed (n);
alter table exceptions add column version bigint not null default 1;
