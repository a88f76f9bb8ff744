-- Whose hand could have made what lets somebody in: `own`, or `made by command` with the operating system's user. Empty where
-- it was made before this was kept: then it could have been anybody's.

alter table sign_in_links add column hand text not null default '';
alter table sessions add column hand text not null default '';
alter table api_tokens add column hand text not null default '';
