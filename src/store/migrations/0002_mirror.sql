-- A live source's copy of the ERP's rows. `seq` counts changes: what was put together up to one count goes on from there.

create table mirror (
    stream text not null,
    id bigint not null,
    seq bigint not null,
    gone bigint not null,
    read_at bigint not null,
    link_0 bigint,
    link_1 bigint,
    link_2 bigint,
    body text not null,
    primary key (stream, id)
);
create unique index mirror_seq on mirror (seq);
create index mirror_link_0 on mirror (stream, link_0) where link_0 is not null;
create index mirror_link_1 on mirror (stream, link_1) where link_1 is not null;
create index mirror_link_2 on mirror (stream, link_2) where link_2 is not null;

create table mirror_count (
    id bigint not null primary key,
    seq bigint not null
);
insert into mirror_count (id, seq) values (1, 0);
