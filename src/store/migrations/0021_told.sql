-- Until now a case was told of in the log when it was found. One that is not drafted yet is drafted whatever it is worth, so that
-- the log and the tables go on agreeing.
update cases set body = replace(body, '"opened_at"', '"wanted":true,"opened_at"') where state = 'new';
