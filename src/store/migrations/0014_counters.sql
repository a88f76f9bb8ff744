-- How often something has changed: whoever asks whether anything is new counts no rows and reads no records.
-- `records` counts every change of a record, `told` those of what the source tells, which events add nothing to.

create table counters (
    name text not null primary key,
    n bigint not null
);
insert into counters (name, n) values ('records', 1);
insert into counters (name, n) values ('told', 1);
