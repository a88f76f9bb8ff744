-- Which records are sales: what customers ordered, took and brought back. They are most of all records, and are read item by
-- item; everything else is read whole.

alter table records add column sale bigint not null default 0;
update records set sale = 1 where kind in ('sale_line', 'demand_month');
update records set sale = 1
    where kind = 'move' and (body like '%"kind":"delivery"%' or body like '%"kind":"customer_return"%')
        and body like '%"po_line":null%';
create index records_of_sales on records (item_id, kind) where sale = 1;
create index records_of_supply on records (item_id, kind) where sale = 0;
