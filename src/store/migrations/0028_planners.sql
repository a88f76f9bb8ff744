-- Planners' own digests, as they were sent, beside everybody's in `digests`; and sessions that were begun by a link in a mail, which may
-- look and never decide.

create table planner_digests (
    person text not null,
    day text not null,
    body text not null,
    plain text not null,
    markdown text not null,
    html text not null,
    made_at bigint not null,
    primary key (person, day)
);

alter table sessions add column looks_only bigint not null default 0;
