-- What has happened lately is asked for by what learns from it: figures of noise, weights of mutes, KPIs.
create index cases_updated on cases (updated_at);
