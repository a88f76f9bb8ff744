-- One text for SQLite and PostgreSQL: TEXT, BIGINT and DOUBLE PRECISION only. Times are epoch milliseconds, money is in
-- minor units, ids and JSON are text. A body holds the whole value; the columns beside it are what queries ask for.

create table settings (
    key text not null primary key,
    value text not null
);

create table records (
    kind text not null,
    id text not null,
    item_id text,
    location_id text,
    happened_at bigint,
    changed_at bigint not null,
    body text not null,
    primary key (kind, id)
);
create index records_changed on records (changed_at);

create table cursors (
    source text not null primary key,
    position text not null,
    moved_at bigint not null
);

create table exceptions (
    id text not null primary key,
    code text not null,
    fingerprint text not null,
    state text not null,
    first_seen bigint not null,
    last_seen bigint not null,
    body text not null
);
create index exceptions_state on exceptions (state);

create table cases (
    id text not null primary key,
    state text not null,
    version bigint not null,
    opened_at bigint not null,
    updated_at bigint not null,
    priority_minor bigint,
    value_minor bigint,
    evidence_hash text,
    owner text,
    body text not null
);
create index cases_state on cases (state);

create table case_exceptions (
    case_id text not null references cases (id),
    exception_id text not null references exceptions (id),
    place bigint not null,
    primary key (case_id, exception_id)
);
create index case_exceptions_exception on case_exceptions (exception_id);

-- What live cases share a root cause by. A case that is done with gives its links up.
create table case_links (
    link text not null primary key,
    case_id text not null references cases (id)
);
create index case_links_case on case_links (case_id);

create table evidence (
    case_id text not null references cases (id),
    version bigint not null,
    hash text not null,
    as_of bigint not null,
    body text not null,
    primary key (case_id, version)
);
create index evidence_hash on evidence (case_id, hash);

create table recommendations (
    id text not null primary key,
    case_id text not null references cases (id),
    rank bigint not null,
    state text not null,
    version bigint not null,
    evidence_hash text not null,
    content_hash text not null,
    value_minor bigint not null,
    drafted_at bigint not null,
    body text not null
);
create index recommendations_case on recommendations (case_id);
create index recommendations_state on recommendations (state);

-- The id is the idempotency key of the click.
create table decisions (
    id text not null primary key,
    case_id text not null references cases (id),
    recommendation_id text not null references recommendations (id),
    person text not null,
    verb text not null,
    content_hash text not null,
    reason text,
    note text not null,
    value_minor bigint not null,
    at bigint not null,
    body text not null
);
create index decisions_at on decisions (at);
create index decisions_case on decisions (case_id);

create table outcomes (
    recommendation_id text not null primary key references recommendations (id),
    at bigint not null,
    state text not null,
    body text not null
);

-- The id is the receiver's idempotency key.
create table outbox (
    id text not null primary key,
    channel text not null,
    body text not null,
    created_at bigint not null,
    due_at bigint not null,
    attempts bigint not null default 0,
    state text not null default 'pending',
    last_error text,
    sent_at bigint,
    lease_until bigint
);
create index outbox_due on outbox (state, due_at);

create table dead_letters (
    id text not null primary key references outbox (id),
    channel text not null,
    attempts bigint not null,
    reason text not null,
    died_at bigint not null
);

create table audit_log (
    seq bigint not null primary key,
    at bigint not null,
    actor text not null,
    channel text not null,
    action text not null,
    subject text not null,
    content text not null,
    detail text not null,
    previous text not null,
    hash text not null
);
create index audit_log_subject on audit_log (subject);

-- One row. Whoever appends locks it first, so entries are numbered without a gap; and entries cut off at the end of the
-- log are found out, because the row still counts them.
create table audit_head (
    name text not null primary key,
    seq bigint not null,
    hash text not null
);
insert into audit_head (name, seq, hash)
values ('head', 0, '0000000000000000000000000000000000000000000000000000000000000000');

create table digests (
    day text not null primary key,
    body text not null,
    plain text not null,
    markdown text not null,
    html text not null,
    made_at bigint not null
);

create table sign_in_links (
    token_hash text not null primary key,
    person text not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);

create table sessions (
    token_hash text not null primary key,
    person text not null,
    csrf text not null,
    created_at bigint not null,
    expires_at bigint not null
);

create table jobs_status (
    stage text not null primary key,
    last_run bigint not null,
    last_ok bigint,
    last_error text,
    advanced bigint not null
);

create table leases (
    name text not null primary key,
    holder text not null,
    held_until bigint not null
);
