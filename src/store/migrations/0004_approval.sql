-- Who stands in for whom. Rows are never deleted: what was decided under one must stay explainable.

create table delegations (
    id text not null primary key,
    from_person text not null,
    to_person text not null,
    starts text not null,
    ends text not null,
    revoked_at bigint,
    body text not null
);

-- What a person should know about: something was passed on to them, waits too long, came back. The id says what it is
-- about, so that the same notice is given once.

create table notices (
    id text not null primary key,
    person text not null,
    kind text not null,
    case_id text references cases (id),
    recommendation_id text references recommendations (id),
    said text not null,
    at bigint not null,
    seen_at bigint
);
create index notices_person on notices (person, seen_at);
create index notices_recommendation on notices (recommendation_id);
