-- The queue is read page by page: its order is an index, and the types of a case are asked for without reading the case. They
-- stand between blanks (' R-SHORT D-SPIKE '), so that one of them is found whole. `place` is the priority; what is not ranked
-- stands below every amount.

alter table cases add column place bigint not null default -9223372036854775807;
update cases set place = priority_minor where priority_minor is not null;
alter table cases add column codes text not null default '';
update cases set codes =
    case when body like '%"codes":[%"D-SPIKE"%],"subject":%' then ' D-SPIKE' else '' end ||
    case when body like '%"codes":[%"D-COLLAPSE"%],"subject":%' then ' D-COLLAPSE' else '' end ||
    case when body like '%"codes":[%"D-SHIFT"%],"subject":%' then ' D-SHIFT' else '' end ||
    case when body like '%"codes":[%"D-PROMO-OVER"%],"subject":%' then ' D-PROMO-OVER' else '' end ||
    case when body like '%"codes":[%"D-PROMO-UNDER"%],"subject":%' then ' D-PROMO-UNDER' else '' end ||
    case when body like '%"codes":[%"D-RETURN"%],"subject":%' then ' D-RETURN' else '' end ||
    case when body like '%"codes":[%"D-DATA"%],"subject":%' then ' D-DATA' else '' end ||
    case when body like '%"codes":[%"R-SHORT"%],"subject":%' then ' R-SHORT' else '' end ||
    case when body like '%"codes":[%"R-OVER"%],"subject":%' then ' R-OVER' else '' end ||
    case when body like '%"codes":[%"R-LATE"%],"subject":%' then ' R-LATE' else '' end ||
    case when body like '%"codes":[%"R-EARLY"%],"subject":%' then ' R-EARLY' else '' end ||
    case when body like '%"codes":[%"R-UOM"%],"subject":%' then ' R-UOM' else '' end ||
    case when body like '%"codes":[%"R-DUP"%],"subject":%' then ' R-DUP' else '' end ||
    case when body like '%"codes":[%"R-ASN"%],"subject":%' then ' R-ASN' else '' end ||
    case when body like '%"codes":[%"R-UNPLANNED"%],"subject":%' then ' R-UNPLANNED' else '' end ||
    case when body like '%"codes":[%"R-DAMAGE"%],"subject":%' then ' R-DAMAGE' else '' end ||
    case when body like '%"codes":[%"F-QTY"%],"subject":%' then ' F-QTY' else '' end ||
    case when body like '%"codes":[%"F-PRICE"%],"subject":%' then ' F-PRICE' else '' end ||
    case when body like '%"codes":[%"F-DUPBILL"%],"subject":%' then ' F-DUPBILL' else '' end ||
    case when body like '%"codes":[%"I-LOW"%],"subject":%' then ' I-LOW' else '' end ||
    case when body like '%"codes":[%"I-OUT"%],"subject":%' then ' I-OUT' else '' end ||
    case when body like '%"codes":[%"I-IMBAL"%],"subject":%' then ' I-IMBAL' else '' end ||
    case when body like '%"codes":[%"I-COUNT"%],"subject":%' then ' I-COUNT' else '' end ||
    case when body like '%"codes":[%"I-SHRINK"%],"subject":%' then ' I-SHRINK' else '' end ||
    case when body like '%"codes":[%"I-NEG"%],"subject":%' then ' I-NEG' else '' end ||
    case when body like '%"codes":[%"I-SCRAP"%],"subject":%' then ' I-SCRAP' else '' end ||
    case when body like '%"codes":[%"I-PHANTOM"%],"subject":%' then ' I-PHANTOM' else '' end ||
    case when body like '%"codes":[%"S-DELAY"%],"subject":%' then ' S-DELAY' else '' end ||
    case when body like '%"codes":[%"S-OVERDUE"%],"subject":%' then ' S-OVERDUE' else '' end ||
    case when body like '%"codes":[%"S-UNCONF"%],"subject":%' then ' S-UNCONF' else '' end ||
    case when body like '%"codes":[%"S-LTSHIFT"%],"subject":%' then ' S-LTSHIFT' else '' end ||
    case when body like '%"codes":[%"M-MASTER"%],"subject":%' then ' M-MASTER' else '' end ||
    case when body like '%"codes":[%"O-OVERSELL"%],"subject":%' then ' O-OVERSELL' else '' end ||
    case when body like '%"codes":[%"O-SYNC"%],"subject":%' then ' O-SYNC' else '' end ||
    case when body like '%"codes":[%"T-LATE"%],"subject":%' then ' T-LATE' else '' end;
update cases set codes = codes || ' ' where codes <> '';

create index cases_queue on cases (state, place desc, opened_at, id, codes);
create index cases_codes on cases (state, codes);
drop index cases_state;
