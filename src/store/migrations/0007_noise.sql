-- What people do not want to be shown for a while. A mute is never deleted: who muted what and until when stays.

create table mutes (
    id text not null primary key,
    code text not null,
    scope text not null,
    owner text not null,
    made_at bigint not null,
    until_day text not null,
    ended_at bigint,
    body text not null
);
create index mutes_until on mutes (until_day);

-- Drills: recommendations that are wrong on purpose. `result` is null while one waits: 'caught', 'accepted' or 'withdrawn'.
create table drills (
    recommendation_id text not null primary key references recommendations (id),
    case_id text not null references cases (id),
    instead_of text not null references recommendations (id),
    day text not null,
    field text not null,
    what text not null,
    planted_at bigint not null,
    result text,
    person text,
    ended_at bigint
);
create index drills_case on drills (case_id);
create index drills_ended on drills (ended_at);
