-- What a memory that others wrote is about: 'supplier:12', 'item:75', 'case:c-1', or nothing. By it the newest are found without looking at all.
alter table memories add column about text not null default '';
create index memories_about on memories (about, happened_at);
update memories set about = 'case:' || case_id where kind = 'planner_note' and case_id is not null;
-- What else was remembered before does not say so: it is remembered once more, which is the same but for that.
delete from settings where key = 'memory.read_up_to';
