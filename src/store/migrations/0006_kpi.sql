-- What people opened, so that the time to a decision is known; and the indexes that figures over a period and an auditor ask
-- by.

-- The first time that a person saw a content, for each of both.
create table views (
    person text not null,
    recommendation_id text not null references recommendations (id),
    case_id text not null references cases (id),
    content_hash text not null,
    channel text not null,
    opened_at bigint not null,
    primary key (recommendation_id, person, content_hash)
);
create index views_at on views (opened_at);

create index decisions_recommendation on decisions (recommendation_id);
create index audit_log_at on audit_log (at);
create index outcomes_at on outcomes (at);
create index exceptions_first on exceptions (first_seen);
create index recommendations_drafted on recommendations (drafted_at);
