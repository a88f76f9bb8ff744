-- Teams: what has to be known of a conversation for the bot to speak first in it, by which id a person is asked for a view of their own,
-- and what a request was answered, for one that comes again is answered as it was.

create table teams_conversations (
    conversation text not null primary key,
    tenant text not null,
    kind text not null,
    service_url text not null,
    bot text not null,
    team text not null,
    person text not null,
    seen_at bigint not null
);
create index teams_conversations_people on teams_conversations (person);

create table teams_people (
    person text not null primary key,
    tenant text not null,
    user_id text not null,
    seen_at bigint not null
);

alter table chat_inbox add column answer text not null default '';
