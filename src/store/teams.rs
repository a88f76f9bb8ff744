//! What Teams has told of itself: conversations that the bot is in, with the address by which it may speak there, and the ids by which
//! people are asked for a view of their own. Everything in here came in a request whose signature was checked.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{Store, StoreError, row};

const CONVERSATIONS: &str = "teams_conversations";
const PEOPLE: &str = "teams_people";

/// What a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamsKind {
    /// Between one person and the bot.
    Personal,
    /// Of several people.
    Group,
    /// A channel of a team.
    Channel,
}

impl TeamsKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Personal, Self::Group, Self::Channel];

    /// Its name, as Teams calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Group => "groupChat",
            Self::Channel => "channel",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A conversation that the bot is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsConversation {
    /// Its id; of a channel the channel's, without a thread.
    pub id: String,
    /// The directory that it is of.
    pub tenant: String,
    /// What it is.
    pub kind: TeamsKind,
    /// Where the connector is that leads there.
    pub service_url: String,
    /// What the bot is called there.
    pub bot: String,
    /// The team of a channel; empty elsewhere.
    pub team: String,
    /// Of a personal one the person, by the directory's id; empty elsewhere.
    pub person: String,
    /// When it was told of last.
    pub seen_at: Timestamp,
}

impl Store {
    /// Keeps a conversation as it is now.
    pub async fn keep_teams_conversation(&self, it: &TeamsConversation) -> Result<(), StoreError> {
        sqlx::query(
            "insert into teams_conversations (conversation, tenant, kind, service_url, bot, team, person, seen_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (conversation) do update set
                 tenant = excluded.tenant, kind = excluded.kind, service_url = excluded.service_url, bot = excluded.bot,
                 team = excluded.team, person = excluded.person, seen_at = excluded.seen_at",
        )
        .bind(row::clean(&it.id))
        .bind(row::clean(&it.tenant))
        .bind(it.kind.name())
        .bind(row::clean(&it.service_url))
        .bind(row::clean(&it.bot))
        .bind(row::clean(&it.team))
        .bind(row::clean(&it.person))
        .bind(row::ms(it.seen_at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets a conversation that the bot was taken out of; where it is a team, with all of its channels.
    pub async fn forget_teams_conversation(&self, id: &str, team: &str) -> Result<u64, StoreError> {
        let done = sqlx::query("delete from teams_conversations where conversation = $1 or (team <> '' and team = $2)")
            .bind(row::clean(id))
            .bind(row::clean(team))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }

    /// The conversation of this id, where the bot is in it.
    pub async fn find_teams_conversation(&self, tenant: &str, id: &str) -> Result<Option<TeamsConversation>, StoreError> {
        self.one_conversation("conversation = $2", tenant, id).await
    }

    /// The conversation between a person and the bot.
    pub async fn find_teams_talk(&self, tenant: &str, person: &str) -> Result<Option<TeamsConversation>, StoreError> {
        self.one_conversation("kind = 'personal' and person = $2", tenant, person).await
    }

    /// The newest conversation of a kind: where its connector is, others of the same kind are reached too.
    pub async fn find_newest_teams_conversation(
        &self,
        tenant: &str,
        kind: TeamsKind,
    ) -> Result<Option<TeamsConversation>, StoreError> {
        self.one_conversation("kind = $2", tenant, kind.name()).await
    }

    async fn one_conversation(
        &self,
        which: &'static str,
        tenant: &str,
        value: &str,
    ) -> Result<Option<TeamsConversation>, StoreError> {
        // The condition is one of the three above.
        let sql = format!(
            "select conversation as id, tenant, kind, service_url, bot, team, person, seen_at from teams_conversations
             where tenant = $1 and {which} order by seen_at desc, conversation limit 1"
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant).bind(value).fetch_optional(&self.pool).await?;
        found.map(|r| conversation(&r)).transpose()
    }

    /// How many conversations the bot is in.
    pub async fn count_teams_conversations(&self, tenant: &str) -> Result<i64, StoreError> {
        let found = sqlx::query("select 'all' as id, count(*) as n from teams_conversations where tenant = $1")
            .bind(tenant)
            .fetch_one(&self.pool)
            .await?;
        row::get(&found, CONVERSATIONS, "n")
    }

    /// Keeps by which id Teams knows a person of the directory.
    pub async fn keep_teams_person(&self, tenant: &str, person: &str, user: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "insert into teams_people (person, tenant, user_id, seen_at) values ($1, $2, $3, $4)
             on conflict (person) do update set
                 tenant = excluded.tenant, user_id = excluded.user_id, seen_at = excluded.seen_at",
        )
        .bind(row::clean(person))
        .bind(row::clean(tenant))
        .bind(row::clean(user))
        .bind(row::ms(at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The ids in Teams of people who have a link that was verified and has not ended, those who were heard last first.
    pub async fn list_teams_users(&self, tenant: &str, now: Timestamp, most: i64) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "select p.person as id, p.user_id from teams_people p
             where p.tenant = $1 and exists (
                 select 1 from identities i
                 where i.channel = 'teams' and i.tenant = p.tenant and i.user_id = p.person
                   and i.state = 'verified' and i.expires_at > $2
             )
             order by p.seen_at desc, p.person limit $3",
        )
        .bind(tenant)
        .bind(row::ms(now))
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| row::get(r, PEOPLE, "user_id")).collect()
    }
}

fn conversation(r: &AnyRow) -> Result<TeamsConversation, StoreError> {
    let kind: String = row::get(r, CONVERSATIONS, "kind")?;
    Ok(TeamsConversation {
        id: row::get(r, CONVERSATIONS, "id")?,
        tenant: row::get(r, CONVERSATIONS, "tenant")?,
        // One that a later program wrote: nothing is taken for granted of it but that it is somebody's.
        kind: TeamsKind::named(&kind).unwrap_or(TeamsKind::Group),
        service_url: row::get(r, CONVERSATIONS, "service_url")?,
        bot: row::get(r, CONVERSATIONS, "bot")?,
        team: row::get(r, CONVERSATIONS, "team")?,
        person: row::get(r, CONVERSATIONS, "person")?,
        seen_at: row::time(r, CONVERSATIONS, "seen_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, on_each};

    fn of(id: &str, kind: TeamsKind, team: &str, person: &str, ms: i64) -> TeamsConversation {
        TeamsConversation {
            id: id.to_owned(),
            tenant: "t1".to_owned(),
            kind,
            service_url: format!("https://smba.example/{ms}/"),
            bot: "28:bot".to_owned(),
            team: team.to_owned(),
            person: person.to_owned(),
            seen_at: at(ms),
        }
    }

    #[tokio::test]
    async fn a_conversation_is_known_as_it_was_told_last_until_the_bot_is_taken_out() {
        on_each(|store| async move {
            let general = of("19:a", TeamsKind::Channel, "19:a", "", 1);
            for one in [
                general.clone(),
                of("19:b", TeamsKind::Channel, "19:a", "", 2),
                of("a:ari", TeamsKind::Personal, "", "ari", 3),
                of("19:a", TeamsKind::Channel, "19:a", "", 4),
            ] {
                store.keep_teams_conversation(&one).await.unwrap();
            }
            let url = async |id: &str| store.find_teams_conversation("t1", id).await.unwrap().map(|found| found.service_url);
            assert_eq!(url("19:a").await.as_deref(), Some("https://smba.example/4/"));
            assert_eq!(store.find_teams_conversation("t2", "19:a").await.unwrap(), None, "another directory's");
            assert_eq!(store.find_teams_talk("t1", "ari").await.unwrap().unwrap().id, "a:ari");
            assert_eq!(store.find_teams_talk("t1", "fay").await.unwrap(), None);
            let newest = store.find_newest_teams_conversation("t1", TeamsKind::Channel).await.unwrap().unwrap();
            assert_eq!(newest, TeamsConversation { service_url: newest.service_url.clone(), seen_at: at(4), ..general });
            assert_eq!(store.count_teams_conversations("t1").await.unwrap(), 3);
            assert_eq!(store.forget_teams_conversation("19:a", "19:a").await.unwrap(), 2);
            assert_eq!((url("19:a").await, url("19:b").await), (None, None));
            assert_eq!(store.forget_teams_conversation("a:fay", "").await.unwrap(), 0);
            assert_eq!(store.count_teams_conversations("t1").await.unwrap(), 1);
        })
        .await;
    }
}
