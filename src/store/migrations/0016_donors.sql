-- Of whose stock a recommendation takes units: the item that it transfers, so that whoever judges another case of that item finds
-- it without reading all. '*' where that has to be read in the recommendation itself: of plans, and of what was kept before this.

alter table recommendations add column donates text;
update recommendations set donates = '*' where body like '%"TRANSFER"%';
create index recommendations_donates on recommendations (donates) where donates is not null;
