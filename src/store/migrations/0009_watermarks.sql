-- Up to where each stream of a source was read: the beginning of its last look that ended well. What is visible to a look that
-- has begun later may be missing.

create table watermarks (
    source text not null,
    stream text not null,
    -- When the newest look began, whether it has ended or not.
    begun_at bigint not null,
    -- When the last look that ended well began.
    looked_at bigint,
    -- Since when every look has failed, and why the newest one did.
    failing_since bigint,
    failing text,
    primary key (source, stream)
);
