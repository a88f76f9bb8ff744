-- Versions of detectors: their parameters, how they did when they were held to the test, and which of them people have put in force.
-- Rows are added and never changed: of each detector the last step counts. Of a closed day it is kept how what came in and what came
-- out was distributed, so that nobody has to go over all days to see what has moved.

create table models (
    name text not null primary key,
    sheet text not null,
    parameters text not null,
    added_by text not null,
    added_at bigint not null
);

create table model_validations (
    id text not null primary key,
    name text not null,
    passed text not null,
    body text not null,
    made_by text not null,
    made_at bigint not null
);
create index model_validations_name on model_validations (name, made_at);

create table model_steps (
    seq bigint not null primary key,
    name text not null,
    step text not null,
    set_by text not null,
    set_at bigint not null,
    reason text not null,
    hand text not null,
    validation text not null
);

create table model_days (
    kind text not null,
    day text not null,
    version text not null,
    body text not null,
    primary key (kind, day)
);
