-- Who stands behind a chat user, and who behind an API token. Rows stay when they have ended: what was linked or could be
-- used at some time can be told later. Of codes and tokens only hashes are kept. `told_at` is when the person was told of
-- what somebody else did in their name.

create table identities (
    id text not null primary key,
    channel text not null,
    tenant text not null,
    user_id text not null,
    person text not null,
    state text not null,
    made_at bigint not null,
    made_by text not null,
    code_id text,
    code_hash text,
    attempts bigint not null default 0,
    confirm_by bigint not null,
    verified_at bigint,
    verified_by text not null default '',
    expires_at bigint,
    ended_at bigint,
    ended_by text not null default '',
    ended_why text not null default '',
    told_at bigint
);
create unique index identities_code on identities (code_id) where code_id is not null;
-- One chat user is one person, and a person has one chat user in each tenant.
create unique index identities_user on identities (channel, tenant, user_id) where state = 'verified';
create unique index identities_person on identities (channel, tenant, person) where state = 'verified';
create index identities_of on identities (person, made_at);

-- How many codes a chat user has tried since when.
create table identity_tries (
    channel text not null,
    tenant text not null,
    user_id text not null,
    since bigint not null,
    tries bigint not null,
    primary key (channel, tenant, user_id)
);

create table api_tokens (
    id text not null primary key,
    hash text not null,
    name text not null,
    owner_kind text not null,
    owner text not null,
    scopes text not null,
    created_at bigint not null,
    created_by text not null,
    expires_at bigint not null,
    last_used_at bigint,
    revoked_at bigint,
    revoked_by text not null default '',
    told_at bigint
);
create index api_tokens_owner on api_tokens (owner_kind, owner);
create index sessions_person on sessions (person);
