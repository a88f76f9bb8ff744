//! Sign-in links and sessions. Only hashes of tokens are kept: who reads the store can not sign in with it.

use jiff::Timestamp;

use super::{Notice, Store, StoreError, audit, notices, row, settings};
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;
use crate::domain::ids::PersonId;

/// Below which settings stands how often somebody has ended the links in mails that let look.
const STAMPS: &str = "mail.look_stamp.";

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of the cookie's token.
    pub token_hash: String,
    /// Who.
    pub person: PersonId,
    /// What their forms must carry.
    pub csrf: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whose hand it could be.
    pub hand: Hand,
    /// Was it begun by a link in a mail? Then it sees, and nothing is taken from it.
    pub looks_only: bool,
}

/// A sign-in link that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedLink {
    /// Whose it is.
    pub person: PersonId,
    /// Whose hand could have used it.
    pub hand: Hand,
}

impl Store {
    /// Keeps a sign-in link, with its audit entries and what its person is told of it.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when there is one with this hash.
    pub async fn insert_sign_in_link(
        &self,
        token_hash: &str,
        (person, hand): (&PersonId, &Hand),
        created_at: Timestamp,
        expires_at: Timestamp,
        notices: &[Notice],
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into sign_in_links (token_hash, person, created_at, expires_at, hand) values ($1, $2, $3, $4, $5)
             on conflict (token_hash) do nothing",
        )
        .bind(token_hash)
        .bind(person.as_str())
        .bind(row::ms(created_at))
        .bind(row::ms(expires_at))
        .bind(row::clean(&hand.recorded()))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Duplicate);
        }
        for notice in notices {
            notices::insert(&mut tx, notice).await?;
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Whose link it is, where it can still be used. Does not use it.
    pub async fn find_sign_in_link(&self, token_hash: &str, now: Timestamp) -> Result<Option<PersonId>, StoreError> {
        let found = sqlx::query(
            "select token_hash, person from sign_in_links
             where token_hash = $1 and used_at is null and expires_at > $2",
        )
        .bind(token_hash)
        .bind(row::ms(now))
        .fetch_optional(&self.pool)
        .await?;
        found.map(|r| Ok(PersonId(row::get(&r, "sign_in_links", "person")?))).transpose()
    }

    /// Uses a link, once. Answers whose it is; None when it is unknown, used or too old.
    pub async fn consume_sign_in_link(&self, token_hash: &str, now: Timestamp) -> Result<Option<UsedLink>, StoreError> {
        let used = sqlx::query(
            "update sign_in_links set used_at = $1
             where token_hash = $2 and used_at is null and expires_at > $1
             returning token_hash, person, hand",
        )
        .bind(row::ms(now))
        .bind(token_hash)
        .fetch_all(&self.pool)
        .await?;
        used.first()
            .map(|r| {
                Ok(UsedLink {
                    person: PersonId(row::get(r, "sign_in_links", "person")?),
                    hand: row::hand(r, "sign_in_links")?,
                })
            })
            .transpose()
    }

    /// Keeps a session, with the audit entries of the sign-in. One that only looks takes the place of its person's others of that kind, so that
    /// a link in a mail that is pressed by many makes one.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when there is one with this hash.
    pub async fn insert_session(&self, session: &Session, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if session.looks_only {
            sqlx::query("delete from sessions where person = $1 and looks_only <> 0 and token_hash <> $2")
                .bind(session.person.as_str())
                .bind(session.token_hash.as_str())
                .execute(&mut *tx)
                .await?;
        }
        let done = sqlx::query(
            "insert into sessions (token_hash, person, csrf, created_at, expires_at, hand, looks_only)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (token_hash) do nothing",
        )
        .bind(session.token_hash.as_str())
        .bind(session.person.as_str())
        .bind(session.csrf.as_str())
        .bind(row::ms(session.created_at))
        .bind(row::ms(session.expires_at))
        .bind(row::clean(&session.hand.recorded()))
        .bind(i64::from(session.looks_only))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Duplicate);
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// The session with this hash, unless it has ended.
    pub async fn find_session(&self, token_hash: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let found = sqlx::query(
            "select token_hash, person, csrf, created_at, expires_at, hand, looks_only from sessions
             where token_hash = $1 and expires_at > $2",
        )
        .bind(token_hash)
        .bind(row::ms(now))
        .fetch_optional(&self.pool)
        .await?;
        found
            .map(|r| {
                Ok(Session {
                    token_hash: row::get(&r, "sessions", "token_hash")?,
                    person: PersonId(row::get(&r, "sessions", "person")?),
                    csrf: row::get(&r, "sessions", "csrf")?,
                    created_at: row::time(&r, "sessions", "created_at")?,
                    expires_at: row::time(&r, "sessions", "expires_at")?,
                    hand: row::hand(&r, "sessions")?,
                    looks_only: row::get::<i64>(&r, "sessions", "looks_only")? != 0,
                })
            })
            .transpose()
    }

    /// Ends a session. Nothing happens when there is none.
    pub async fn delete_session(&self, token_hash: &str, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("delete from sessions where token_hash = $1").bind(token_hash).execute(&mut *tx).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// A person's sessions that have not ended, newest first. Their CSRF tokens stay in the store.
    pub async fn list_sessions(&self, person: &PersonId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query(
            "select token_hash, person, created_at, expires_at, hand, looks_only from sessions
             where person = $1 and expires_at > $2 order by created_at desc, token_hash",
        )
        .bind(person.as_str())
        .bind(row::ms(now))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|r| {
                Ok(Session {
                    token_hash: row::get(r, "sessions", "token_hash")?,
                    person: PersonId(row::get(r, "sessions", "person")?),
                    csrf: String::new(),
                    created_at: row::time(r, "sessions", "created_at")?,
                    expires_at: row::time(r, "sessions", "expires_at")?,
                    hand: row::hand(r, "sessions")?,
                    looks_only: row::get::<i64>(r, "sessions", "looks_only")? != 0,
                })
            })
            .collect()
    }

    /// What a person's links in mails that let look are signed with: it changes when they end their other sessions.
    pub async fn look_stamp(&self, person: &PersonId) -> Result<String, StoreError> {
        Ok(self.find_setting(&format!("{STAMPS}{person}")).await?.unwrap_or_default())
    }

    /// Ends a person's other sessions, and the links by which new ones could be begun, those in mails too. Answers how many sessions ended.
    pub async fn delete_other_sessions(
        &self,
        person: &PersonId,
        keep: &str,
        entries: &[AuditEntry],
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("delete from sign_in_links where person = $1 and used_at is null")
            .bind(person.as_str())
            .execute(&mut *tx)
            .await?;
        let ended = sqlx::query("delete from sessions where person = $1 and token_hash <> $2")
            .bind(person.as_str())
            .bind(keep)
            .execute(&mut *tx)
            .await?;
        settings::count(&mut tx, &format!("{STAMPS}{person}")).await?;
        audit::append(&mut tx, entries).await?;
        tx.commit().await?;
        Ok(ended.rows_affected())
    }

    /// Forgets sessions and links that have ended. Answers how many.
    pub async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let mut gone = 0;
        for statement in ["delete from sessions where expires_at <= $1", "delete from sign_in_links where expires_at <= $1"]
        {
            gone += sqlx::query(statement).bind(row::ms(now)).execute(&mut *tx).await?.rows_affected();
        }
        tx.commit().await?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::hand::Hand;
    use crate::domain::ids::PersonId;
    use crate::store::testing::{at, entry, on_each};
    use crate::store::{Session, StoreError, UsedLink};

    #[tokio::test]
    async fn a_sign_in_link_is_used_once_and_in_time() {
        on_each(|store| async move {
            let ada = PersonId::new("ada");
            let by_eve = Hand::MadeByCommand("eve (uid 1001)".to_owned());
            store.insert_sign_in_link("h1", (&ada, &by_eve), at(0), at(100), &[], &[entry("link.made")]).await.unwrap();
            store.insert_sign_in_link("h2", (&ada, &Hand::Own), at(0), at(100), &[], &[]).await.unwrap();
            let twice = store.insert_sign_in_link("h2", (&ada, &Hand::Own), at(0), at(100), &[], &[]).await;
            assert!(matches!(twice, Err(StoreError::Duplicate)), "{twice:?}");
            assert_eq!(store.find_sign_in_link("h1", at(99)).await.unwrap(), Some(ada.clone()));
            let (a, b) = tokio::join!(store.consume_sign_in_link("h1", at(99)), store.consume_sign_in_link("h1", at(99)));
            let (a, b) = (a.unwrap(), b.unwrap());
            assert_eq!(a.is_some(), b.is_none(), "one of two clicks signs in");
            assert_eq!(a.or(b), Some(UsedLink { person: ada, hand: by_eve }));
            assert_eq!(store.consume_sign_in_link("h1", at(99)).await.unwrap(), None);
            assert_eq!(store.consume_sign_in_link("h2", at(100)).await.unwrap(), None, "too old");
            assert_eq!(store.find_sign_in_link("h2", at(100)).await.unwrap(), None);
            assert_eq!(store.consume_sign_in_link("h3", at(0)).await.unwrap(), None, "unknown");
            assert_eq!(store.delete_expired_sessions(at(100)).await.unwrap(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_person_ends_their_other_sessions_and_nobody_else_s() {
        on_each(|store| async move {
            for (n, (token, person)) in (0..).zip([("a1", "ada"), ("a2", "ada"), ("a3", "ada"), ("b1", "bob")]) {
                let session = Session {
                    token_hash: token.to_owned(),
                    person: PersonId::new(person),
                    csrf: "c".to_owned(),
                    created_at: at(n),
                    expires_at: at(100 + n),
                    hand: Hand::Own,
                    looks_only: false,
                };
                store.insert_session(&session, &[]).await.unwrap();
                store
                    .insert_sign_in_link(&format!("l{token}"), (&session.person, &Hand::Own), at(0), at(500), &[], &[])
                    .await
                    .unwrap();
            }
            let (ada, bob) = (PersonId::new("ada"), PersonId::new("bob"));
            let open: Vec<String> =
                store.list_sessions(&ada, at(100)).await.unwrap().into_iter().map(|s| s.token_hash).collect();
            assert_eq!(open, ["a3", "a2"], "the first has ended by itself");
            assert_eq!(store.delete_other_sessions(&ada, "a2", &[entry("sessions.ended")]).await.unwrap(), 2);
            assert!(store.find_session("a2", at(1)).await.unwrap().is_some());
            assert!(store.find_session("a3", at(1)).await.unwrap().is_none());
            assert_eq!(store.list_sessions(&bob, at(1)).await.unwrap().len(), 1);
            assert_eq!(store.find_sign_in_link("la3", at(1)).await.unwrap(), None, "no way back in");
            let stamps = (store.look_stamp(&ada).await.unwrap(), store.look_stamp(&bob).await.unwrap());
            assert_eq!(stamps, ("1".to_owned(), String::new()), "and none by a mail");
            store.delete_other_sessions(&ada, "a2", &[]).await.unwrap();
            assert_eq!(store.look_stamp(&ada).await.unwrap(), "2");
            assert_eq!(store.find_sign_in_link("lb1", at(1)).await.unwrap(), Some(bob));
        })
        .await;
    }

    #[tokio::test]
    async fn a_session_lasts_until_it_ends_or_is_ended() {
        on_each(|store| async move {
            let session = Session {
                token_hash: "t".to_owned(),
                person: PersonId::new("ada"),
                csrf: "c".to_owned(),
                created_at: at(0),
                expires_at: at(100),
                hand: Hand::MadeByCommand("eve (uid 1001)".to_owned()),
                looks_only: true,
            };
            store.insert_session(&session, &[entry("signed_in")]).await.unwrap();
            assert_eq!(store.find_session("t", at(99)).await.unwrap(), Some(session.clone()));
            assert_eq!(store.find_session("t", at(100)).await.unwrap(), None);
            // Another look takes its place, and no other kind of session nor anybody else's goes with it.
            let of = |token: &str, person: &str, looks_only: bool| Session {
                token_hash: token.to_owned(),
                person: PersonId::new(person),
                looks_only,
                ..session.clone()
            };
            for other in [of("whole", "ada", false), of("bobs", "bob", true), of("t2", "ada", true)] {
                store.insert_session(&other, &[]).await.unwrap();
            }
            let mut there = Vec::new();
            for token in ["t", "t2", "whole", "bobs"] {
                there.push(store.find_session(token, at(1)).await.unwrap().is_some());
            }
            assert_eq!(there, [false, true, true, true]);
            store.insert_session(&session, &[]).await.unwrap();
            store.delete_session("t", &[entry("signed_out")]).await.unwrap();
            assert_eq!(store.find_session("t", at(1)).await.unwrap(), None);
        })
        .await;
    }
}
