-- What a case is about, so that the cases of an item, a place or a supplier are found by an index, in the queue's order. A row that an
-- earlier program wrote says it in its body only (`subject_kept` is 0): the program fills these columns from there when it migrates, for
-- the two databases have no JSON functions in common.

alter table cases add column item text;
alter table cases add column location text;
alter table cases add column supplier text;
alter table cases add column subject_kept bigint not null default 0;

create index cases_of_item on cases (item, state, place desc, opened_at, id, codes) where item is not null;
create index cases_of_location on cases (location, state, place desc, opened_at, id, codes) where location is not null;
create index cases_of_supplier on cases (supplier, state, place desc, opened_at, id, codes) where supplier is not null;
create index cases_without_subject on cases (id) where subject_kept = 0;
