-- Whether people have stopped drafting and delivering, for everybody who works on this store. One row at most: the last stop, and
-- its end where it has ended. What was before stands in the audit log.

create table stops (
    one bigint primary key check (one = 1),
    stopped_by text not null,
    stopped_at bigint not null,
    reason text not null,
    resumed_at bigint
);
