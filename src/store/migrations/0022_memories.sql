-- What is remembered, with the vectors by which it is found: base64 of little-endian floats of 32 bits, for the same text works on
-- both databases. `model` made the vector of words; it is empty while none has. `gone` is a row that was forgotten and of which
-- indexes have to be told. `seq` counts changes (counters, 'memories').

create table memories (
    id text not null primary key,
    seq bigint not null,
    kind text not null,
    company text not null,
    case_id text,
    known_at bigint not null,
    happened_at bigint not null,
    body text not null,
    text_vector text not null,
    profile text not null,
    model text not null,
    gone bigint not null
);
create index memories_seq on memories (seq);
create index memories_model on memories (model, id);
create index memories_happened on memories (happened_at);
create index memories_case on memories (case_id);
insert into counters (name, n) values ('memories', 0);
