-- Language models as writers: what each was found at beside the playbook, whether people see its words, and every draft that it made,
-- graded. Of a writer the last step counts; a draft that was made in shadow (shown = 'no') stands here and nowhere else.

create table writer_proofs (
    id text not null primary key,
    writer text not null,
    passed text not null,
    body text not null,
    made_by text not null,
    made_at bigint not null
);
create index writer_proofs_writer on writer_proofs (writer, made_at);

create table writer_steps (
    seq bigint not null primary key,
    writer text not null,
    step text not null,
    set_by text not null,
    set_at bigint not null,
    reason text not null,
    hand text not null,
    proof text not null
);

create table writer_drafts (
    case_id text not null,
    evidence_hash text not null,
    writer text not null,
    shown text not null,
    day text not null,
    ended text not null,
    body text not null,
    made_at bigint not null,
    primary key (case_id, evidence_hash, writer)
);
create index writer_drafts_day on writer_drafts (writer, day);
