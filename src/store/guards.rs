//! The database's own guards of the audit log: triggers that let entries be added and nothing else.
//!
//! Entries can not be changed, deleted, replaced or inserted behind the head; the head moves only forward, onto an entry that
//! is there. Whoever may change the schema can take a trigger away: that is noticed, at a start and by `reeve doctor`, and
//! what was done meanwhile is found by the chain and its anchors. The two databases word triggers differently, so this is no
//! migration; it can run any number of times.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyPool, AssertSqlSafe, Executor as _};

use super::{Backend, Store, StoreError, audit, row, settings};
use crate::domain::audit::AuditEntry;

/// Which guards were set up by the last start, so that one of a newer version does not count as taken away.
const KNOWN: &str = "audit.guards";
/// Which of those were not there at a later start.
const MISSING: &str = "audit.guards_missing";

/// A trigger: its name, its table, and what it does.
struct Guard {
    name: &'static str,
    table: &'static str,
    /// When it fires, as SQL; for PostgreSQL in the words and the order in which it tells it.
    fires: &'static str,
    /// SQLite: its body. PostgreSQL: the function that it calls.
    does: &'static str,
}

const SQLITE: &[Guard] = &[
    Guard {
        name: "audit_log_no_update",
        table: "audit_log",
        fires: "before update on audit_log",
        does: "begin select raise(abort, 'the audit log is append-only'); end",
    },
    Guard {
        name: "audit_log_no_delete",
        table: "audit_log",
        fires: "before delete on audit_log",
        does: "begin select raise(abort, 'the audit log is append-only'); end",
    },
    // `insert or replace` deletes without asking the trigger above.
    Guard {
        name: "audit_log_no_replace",
        table: "audit_log",
        fires: "before insert on audit_log \
                when new.seq <= (select seq from audit_head where name = 'head') \
                or exists (select 1 from audit_log where seq = new.seq)",
        does: "begin select raise(abort, 'the audit log is append-only'); end",
    },
    Guard {
        name: "audit_head_only_forward",
        table: "audit_head",
        fires: "before update on audit_head \
                when new.name <> old.name or new.seq < old.seq or (new.seq = old.seq and new.hash <> old.hash) \
                or (new.seq > old.seq and not exists (select 1 from audit_log where seq = new.seq and hash = new.hash))",
        does: "begin select raise(abort, 'the head of the audit log only moves forward'); end",
    },
    Guard {
        name: "audit_head_no_delete",
        table: "audit_head",
        fires: "before delete on audit_head",
        does: "begin select raise(abort, 'the head of the audit log only moves forward'); end",
    },
    Guard {
        name: "audit_head_no_insert",
        table: "audit_head",
        fires: "before insert on audit_head",
        does: "begin select raise(abort, 'the head of the audit log only moves forward'); end",
    },
];

const POSTGRES: &[Guard] = &[
    Guard {
        name: "audit_log_no_change",
        table: "audit_log",
        fires: "before delete or update on audit_log for each row",
        does: "audit_log_refuse",
    },
    Guard {
        name: "audit_log_no_truncate",
        table: "audit_log",
        fires: "before truncate on audit_log for each statement",
        does: "audit_log_refuse",
    },
    Guard {
        name: "audit_log_no_replace",
        table: "audit_log",
        fires: "before insert on audit_log for each row",
        does: "audit_log_add",
    },
    Guard {
        name: "audit_head_only_forward",
        table: "audit_head",
        fires: "before insert or delete or update on audit_head for each row",
        does: "audit_head_move",
    },
    Guard {
        name: "audit_head_no_truncate",
        table: "audit_head",
        fires: "before truncate on audit_head for each statement",
        does: "audit_log_refuse",
    },
];

/// PostgreSQL's functions: name and body.
const FUNCTIONS: &[(&str, &str)] = &[
    ("audit_log_refuse", "begin raise exception 'the audit log is append-only'; end"),
    (
        "audit_log_add",
        "begin if new.seq <= (select seq from audit_head where name = 'head') then \
         raise exception 'the audit log is append-only'; end if; return new; end",
    ),
    (
        "audit_head_move",
        "begin if tg_op <> 'UPDATE' then raise exception 'the head of the audit log only moves forward'; end if; \
         if new.name <> old.name or new.seq < old.seq or (new.seq = old.seq and new.hash <> old.hash) \
         or (new.seq > old.seq and not exists (select 1 from audit_log where seq = new.seq and hash = new.hash)) then \
         raise exception 'the head of the audit log only moves forward'; end if; return new; end",
    ),
];

fn all(backend: Backend) -> &'static [Guard] {
    match backend {
        Backend::Sqlite => SQLITE,
        Backend::Postgres => POSTGRES,
    }
}

/// One space between words, and lower case: how a database keeps a text is its own business.
fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Sets the guards up where they are not as they should be, and keeps which of them had been taken away.
pub(super) async fn protect(pool: &AnyPool, backend: Backend) -> Result<(), StoreError> {
    let there = intact(pool, backend).await?;
    // A guard that only this program knows is new here. It was not taken away, so it is asked which ones an earlier start
    // set up.
    let names: BTreeSet<&str> = all(backend).iter().map(|guard| guard.name).collect();
    let before = list(pool, KNOWN).await?;
    // A log that holds entries was guarded once, whatever the settings say now.
    let owned = || names.iter().map(|name| (*name).to_owned()).collect();
    let guarded: BTreeSet<String> = if before.is_empty() && has_entries(pool).await? { owned() } else { before.clone() };
    let gone: BTreeSet<String> = guarded.into_iter().filter(|name| !there.contains(name)).collect();
    if there.len() == names.len() && before.len() == names.len() {
        return Ok(());
    }
    // Beside what an earlier start found, of which nobody may have told the log yet. It is kept before they are set up again: a start
    // that is killed in between must not leave a log that looks as if it had been guarded all the time.
    let mut missing = list(pool, MISSING).await?;
    missing.extend(gone);
    keep(pool, MISSING, missing).await?;
    let mut connection = pool.acquire().await?;
    if backend == Backend::Postgres {
        for (name, body) in FUNCTIONS {
            // Safe: both texts are constants of this file.
            let sql = format!("create or replace function {name}() returns trigger language plpgsql as $$ {body} $$");
            connection.execute(AssertSqlSafe(sql)).await?;
        }
    }
    for Guard { name, table, fires, does } in all(backend).iter().filter(|guard| !there.contains(guard.name)) {
        let statements = match backend {
            Backend::Sqlite => {
                vec![format!("drop trigger if exists {name}"), format!("create trigger if not exists {name} {fires} {does}")]
            }
            Backend::Postgres => vec![
                format!("create or replace trigger {name} {fires} execute function {does}()"),
                format!("alter table {table} enable always trigger {name}"),
            ],
        };
        for sql in statements {
            connection.execute(AssertSqlSafe(sql)).await?;
        }
    }
    drop(connection);
    keep(pool, KNOWN, names.into_iter().map(str::to_owned).collect()).await
}

/// Keeps names of guards under a key of the settings.
async fn keep(pool: &AnyPool, key: &str, names: BTreeSet<String>) -> Result<(), StoreError> {
    let sql = "insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
    let names = names.into_iter().collect::<Vec<_>>().join(" ");
    sqlx::query(sql).bind(key).bind(names).execute(pool).await?;
    Ok(())
}

/// The guards that are there, switched on, and say what they should.
async fn intact(pool: &AnyPool, backend: Backend) -> Result<BTreeSet<String>, StoreError> {
    match backend {
        Backend::Sqlite => {
            let rows = sqlx::query("select name, sql from sqlite_master where type = 'trigger'").fetch_all(pool).await?;
            let mut texts: BTreeMap<String, String> = BTreeMap::new();
            for r in &rows {
                texts.insert(row::get(r, "sqlite_master", "name")?, plain(row::get(r, "sqlite_master", "sql")?));
            }
            let says = |g: &&Guard| {
                let whole = plain(&format!("create trigger {} {} {}", g.name, g.fires, g.does));
                texts.get(g.name) == Some(&whole)
            };
            Ok(SQLITE.iter().filter(says).map(|g| g.name.to_owned()).collect())
        }
        Backend::Postgres => {
            // Always, not only by origin: a session that claims to be a replica is refused too.
            let rows = sqlx::query(
                "select cast(t.tgname as text) as name, cast(p.proname as text) as function, p.prosrc as body,
                     pg_get_triggerdef(t.oid, true) as definition
                 from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                 where t.tgrelid in (to_regclass('audit_log'), to_regclass('audit_head')) and t.tgenabled = 'A'",
            )
            .fetch_all(pool)
            .await?;
            let mut there = BTreeSet::new();
            for r in &rows {
                let name: String = row::get(r, "pg_trigger", "name")?;
                let function: String = row::get(r, "pg_trigger", "function")?;
                let body: String = row::get(r, "pg_trigger", "body")?;
                let expected = FUNCTIONS.iter().find(|(known, _)| *known == function).map(|(_, body)| plain(body));
                // The whole definition: events, table, condition, function.
                let definition = plain(row::get(r, "pg_trigger", "definition")?);
                let whole =
                    |g: &Guard| plain(&format!("create trigger {} {} execute function {}()", g.name, g.fires, g.does));
                let calls = POSTGRES.iter().any(|g| g.name == name && whole(g) == definition);
                if calls && expected == Some(plain(&body)) {
                    there.insert(name);
                }
            }
            Ok(there)
        }
    }
}

async fn has_entries(pool: &AnyPool) -> Result<bool, StoreError> {
    let found = sqlx::query("select seq from audit_log limit 1").fetch_optional(pool).await?;
    Ok(found.is_some())
}

async fn list(pool: &AnyPool, key: &str) -> Result<BTreeSet<String>, StoreError> {
    let found = sqlx::query("select key, value from settings where key = $1").bind(key).fetch_optional(pool).await?;
    let text: String = found.map(|r| row::get(&r, "settings", "value")).transpose()?.unwrap_or_default();
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

impl Store {
    /// Guards of the audit log that are not there now, or do not say what they should. For a store that was opened and not
    /// migrated: migrating puts them back.
    pub async fn missing_guards(&self) -> Result<Vec<String>, StoreError> {
        let there = intact(&self.pool, self.backend).await?;
        Ok(all(self.backend).iter().map(|g| g.name.to_owned()).filter(|name| !there.contains(name)).collect())
    }

    /// Guards that a start found taken away and put back, of which the log does not tell yet.
    pub async fn guards_found_missing(&self) -> Result<Vec<String>, StoreError> {
        Ok(list(&self.pool, MISSING).await?.into_iter().collect())
    }

    /// Lets the log tell of them.
    pub async fn note_guards_restored(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        settings::put(&mut tx, MISSING, "").await?;
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{entry, on_each, on_each_at};

    async fn run(store: &Store, sql: &str) -> Result<(), String> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&store.pool).await;
        done.map(|_| ()).map_err(|e| e.to_string())
    }

    #[tokio::test]
    async fn nothing_but_appending_is_let_through() {
        on_each(|store| async move {
            store.append_audit(&[entry("one"), entry("two"), entry("three")]).await.unwrap();
            let columns = "(seq, at, actor, channel, action, subject, content, detail, previous, hash)";
            let values = "values (2, 0, 'eve', 'web', 'x', 'y', '', '{}', '', '')";
            let mut refused = vec![
                "update audit_log set actor = 'eve' where seq = 2".to_owned(),
                "delete from audit_log where seq = 3".to_owned(),
                format!("insert into audit_log {columns} {values}"),
                format!("insert into audit_log {columns} {values} on conflict (seq) do update set actor = 'eve'"),
                "update audit_head set seq = 1".to_owned(),
                "update audit_head set hash = 'x'".to_owned(),
                "update audit_head set seq = 9, hash = 'x'".to_owned(),
                "update audit_head set name = 'x'".to_owned(),
                "delete from audit_head".to_owned(),
                "insert into audit_head (name, seq, hash) values ('other', 0, '')".to_owned(),
            ];
            match store.backend {
                Backend::Sqlite => {
                    refused.push(format!("insert or replace into audit_log {columns} {values}"));
                    refused.push("insert or replace into audit_head (name, seq, hash) values ('head', 0, '')".to_owned());
                    refused.push("update or replace audit_log set seq = 2 where seq = 3".to_owned());
                }
                Backend::Postgres => {
                    refused.extend(["truncate audit_log".to_owned(), "truncate audit_head".to_owned()]);
                }
            }
            for sql in refused {
                let error = run(&store, &sql).await.expect_err(&sql);
                assert!(error.contains("append-only") || error.contains("only moves forward"), "{sql}: {error}");
            }
            assert_eq!(store.verify_audit().await.unwrap().0, 3);
            store.append_audit(&[entry("four")]).await.unwrap();
            assert_eq!(store.verify_audit().await.unwrap().0, 4);
        })
        .await;
    }

    #[tokio::test]
    async fn a_guard_that_was_taken_away_is_missed_and_put_back_and_told_of() {
        on_each(|store| async move {
            store.append_audit(&[entry("one")]).await.unwrap();
            assert!(store.missing_guards().await.unwrap().is_empty());
            assert!(store.guards_found_missing().await.unwrap().is_empty(), "setting up the first time is no fault");
            let drop = match store.backend {
                Backend::Sqlite => "drop trigger audit_head_no_delete",
                Backend::Postgres => "alter table audit_log disable trigger audit_log_no_change",
            };
            run(&store, drop).await.unwrap();
            assert_eq!(store.missing_guards().await.unwrap().len(), 1);
            store.migrate().await.unwrap();
            assert!(store.missing_guards().await.unwrap().is_empty());
            assert_eq!(store.guards_found_missing().await.unwrap().len(), 1, "the next look is told");
            store.migrate().await.unwrap();
            // Only the entry in the log, below, settles it: until then every look is told.
            assert_eq!(store.guards_found_missing().await.unwrap().len(), 1, "a second start does not forget it");
            store.note_guards_restored(&entry("audit.guards_restored")).await.unwrap();
            assert!(store.guards_found_missing().await.unwrap().is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn a_guard_that_says_something_else_is_none() {
        on_each(|store| async move {
            let idle: &[&str] = match store.backend {
                Backend::Sqlite => &[
                    "create trigger audit_log_no_update before update on audit_log begin select 1; end",
                    "create trigger audit_log_no_update before update on audit_log when 0 \
                     begin select raise(abort, 'the audit log is append-only'); end",
                    // It ends with the words of the true one, as a remark.
                    "create trigger audit_log_no_update before update on audit_log begin select 1; \
                     -- audit_log_no_update before update on audit_log begin select raise(abort, \
                     'the audit log is append-only');\n end",
                ],
                Backend::Postgres => &[
                    "create trigger audit_log_no_change before delete or update on audit_log for each row \
                     when (false) execute function audit_log_refuse()",
                    "create trigger audit_log_no_change before delete on audit_log for each row \
                     execute function audit_log_refuse()",
                    "create trigger audit_log_no_change before delete or update of detail on audit_log for each row \
                     execute function audit_log_refuse()",
                    "create trigger audit_log_no_change after delete or update on audit_log for each row \
                     execute function audit_log_refuse()",
                    "create trigger audit_log_no_change before delete or update on audit_head for each row \
                     execute function audit_log_refuse()",
                ],
            };
            for sql in idle {
                let drop = match store.backend {
                    Backend::Sqlite => "drop trigger audit_log_no_update".to_owned(),
                    Backend::Postgres => "drop trigger if exists audit_log_no_change on audit_log; \
                                          drop trigger if exists audit_log_no_change on audit_head"
                        .to_owned(),
                };
                // By one connection: another one may not have seen yet that it was dropped.
                run(&store, &format!("{drop}; {sql}")).await.unwrap();
                if store.backend == Backend::Postgres {
                    let table = if sql.contains("on audit_head") { "audit_head" } else { "audit_log" };
                    run(&store, &format!("alter table {table} enable always trigger audit_log_no_change")).await.unwrap();
                }
                assert_eq!(store.missing_guards().await.unwrap().len(), 1, "{sql}");
                if store.backend == Backend::Postgres {
                    run(&store, "drop trigger if exists audit_log_no_change on audit_head").await.unwrap();
                }
                store.migrate().await.unwrap();
                assert!(store.missing_guards().await.unwrap().is_empty(), "{sql}");
            }
            if store.backend == Backend::Postgres {
                // The trigger is as it should be, and what it calls does nothing.
                let idle = "create or replace function audit_log_add() returns trigger language plpgsql as \
                            $$ begin return new; end $$";
                run(&store, idle).await.unwrap();
                assert_eq!(store.missing_guards().await.unwrap().len(), 1);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn guards_of_a_log_with_entries_count_as_taken_away_though_nobody_remembers_them() {
        on_each(|store| async move {
            store.append_audit(&[entry("one")]).await.unwrap();
            let drop = match store.backend {
                Backend::Sqlite => "drop trigger audit_head_no_delete",
                Backend::Postgres => "drop trigger audit_log_no_change on audit_log",
            };
            run(&store, drop).await.unwrap();
            // As somebody would who takes a guard away and its trace with it; the log itself shows that there were guards.
            run(&store, "delete from settings where key = 'audit.guards'").await.unwrap();
            store.migrate().await.unwrap();
            assert_eq!(store.guards_found_missing().await.unwrap().len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn whoever_opens_a_store_to_read_changes_and_mends_nothing() {
        on_each_at(|store, url| async move {
            store.append_audit(&[entry("one")]).await.unwrap();
            let drop = match store.backend {
                Backend::Sqlite => "drop trigger audit_head_no_delete",
                Backend::Postgres => "drop trigger audit_log_no_change on audit_log",
            };
            run(&store, drop).await.unwrap();
            let reader = Store::open_to_read(&url).await.unwrap();
            assert_eq!(reader.verify_audit().await.unwrap().0, 1);
            assert_eq!(reader.missing_guards().await.unwrap().len(), 1, "it is seen and left");
            for sql in ["update settings set value = 'x'", "delete from audit_log"] {
                let error = run(&reader, sql).await.unwrap_err().to_lowercase();
                assert!(error.contains("readonly") || error.contains("read-only"), "{error}");
            }
            assert!(reader.append_audit(&[entry("two")]).await.is_err());
            reader.close().await;
        })
        .await;
    }
}
