-- What is live, in shadow or off, as people have set it, over the configuration. A row is a step and is never changed: of each scope
-- the last step counts. Without a mode it takes back what was set. Of an exception it is kept in which mode it was looked at last.

create table modes (
    seq bigint not null primary key,
    scope text not null,
    step text not null,
    mode text,
    set_by text not null,
    set_at bigint not null,
    reason text not null,
    hand text not null
);

alter table exceptions add column mode text not null default 'live';
create index exceptions_mode on exceptions (mode, state);
