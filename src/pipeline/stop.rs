//! The kill switch: while it is thrown, nothing is drafted, no language model is asked and nothing leaves. Reading, detection,
//! the queue, decisions, reminders and expiry go on.
//!
//! It is thrown by a person, which the store keeps for everybody who works on it, or by a file, which stops whoever can see it
//! even where the store can not be reached. It is asked anew before each message and each draft, never remembered. Stopping only
//! takes away, so anybody who decides or runs Reeve may; letting things leave again takes more.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::ids::PersonId;
use crate::domain::policy::{Person, Role};
use crate::store::{Stop, Store, StoreError};

/// What stops are kept under in the log.
const SUBJECT: &str = "work:all";

/// Longest reason, in characters.
const REASON_CHARS: usize = 500;

/// The least tier of an approver who may let things leave again.
const RESUME_TIER: u8 = 2;

/// Why nothing is drafted and nothing leaves: a person, a file, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The person's stop.
    pub by: Option<Stop>,
    /// The configured file.
    pub file: Option<StopFile>,
}

/// A stop file that is there, or that nobody can say is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopFile {
    /// Where.
    pub path: PathBuf,
    /// Why it could not be looked for; then it counts as there.
    pub unseen: Option<String>,
}

impl Stopped {
    /// Who stopped Reeve, when and why, and what ends it, in sentences.
    pub fn says(&self, config: &Config) -> String {
        let mut said =
            vec!["Reeve is stopped: nothing is drafted, no language model is asked and nothing leaves.".to_owned()];
        if let Some(stop) = &self.by {
            let who = config.people.iter().find(|p| p.id == stop.by).map_or(stop.by.as_str(), |p| &p.name);
            let at = stop.at.to_zoned(config.rules.calendar.timezone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
            let why = stop.reason.trim_end_matches(['.', ' ']);
            said.push(format!("{who} stopped it at {at}: {why}. `reeve resume --as NAME` ends that."));
        }
        said.extend(self.file.as_ref().map(StopFile::says));
        said.join(" ")
    }
}

impl StopFile {
    /// What it does and how it ends, in a sentence.
    pub fn says(&self) -> String {
        let path = self.path.display();
        match &self.unseen {
            None => format!("The file {path} stops it (safety.stop_file); remove the file to end that."),
            Some(why) => format!(
                "The file {path} (safety.stop_file) can not be looked for and so counts as there: {why}; give Reeve the right \
                 to see its folder, or set another file."
            ),
        }
    }
}

/// Is Reeve stopped, and by what?
///
/// # Errors
/// When the store can not be read: whoever asks does not go on then.
pub async fn stopped(store: &Store, config: &Config) -> Result<Option<Stopped>, StoreError> {
    let file = stop_file(&config.safety.stop_file).await;
    let by = store.find_stop().await?;
    Ok((by.is_some() || file.is_some()).then_some(Stopped { by, file }))
}

/// The configured stop file, where it is there. A link that leads nowhere is there.
async fn stop_file(path: &Path) -> Option<StopFile> {
    if path.as_os_str().is_empty() {
        return None;
    }
    let unseen = match tokio::fs::symlink_metadata(path).await {
        Ok(_) => None,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => Some(error.to_string()),
    };
    Some(StopFile { path: path.to_owned(), unseen })
}

/// Whoever decides or runs Reeve may stop it.
pub fn may_stop(person: &Person) -> bool {
    !person.is_machine() && (person.decides() || person.is(Role::Admin))
}

/// Fewer may let things leave again.
pub fn may_resume(person: &Person) -> bool {
    let may = person.is(Role::Admin) || (person.is(Role::Approver) && person.tier >= RESUME_TIER);
    may && !person.is_machine()
}

/// Stops, in the name of `by`. Answers the stop that holds now, and whether it is this one: stopping twice is stopping once.
///
/// # Errors
/// When the person is unknown or may not, the reason is missing, or the store can not keep it.
pub async fn stop(
    store: &Store,
    config: &Config,
    clock: &Clock,
    (by, channel): (&PersonId, &str),
    reason: &str,
) -> anyhow::Result<(Stop, bool)> {
    let person = known(config, by)?;
    anyhow::ensure!(may_stop(person), "{} may look only; anybody who decides or runs Reeve can stop it", person.name);
    let reason: String = reason.trim().chars().take(REASON_CHARS).collect();
    anyhow::ensure!(!reason.is_empty(), "say why: whoever finds Reeve stopped has to know what to look at");
    let new = Stop { by: by.clone(), at: clock.now(), reason };
    let entry = entry(&new, channel, "work.stopped").with(json!({ "reason": new.reason }));
    let occasion = [SUBJECT, "stopped", &new.at.to_string()];
    let what = format!("Reeve was stopped: {}", new.reason);
    let told = store.told_by_command(channel, by, &occasion, &what, new.at);
    if store.stop(&new, told.as_slice(), &store.with_os_user(entry)).await? {
        tracing::info!(by = %by, "Stopped: nothing is drafted and nothing leaves");
        return Ok((new, true));
    }
    // Somebody may have ended the other stop since; then there is none to name, and ours was not kept.
    let holds = store.find_stop().await?;
    holds.map(|stop| (stop, false)).ok_or_else(|| anyhow::anyhow!("another stop was ended at this moment; stop again"))
}

/// What became of a wish to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The person's stop that was ended; None where none held.
    pub ended: Option<Stop>,
    /// The file that still stops Reeve: no command takes it away.
    pub file: Option<StopFile>,
}

/// Ends a person's stop, in the name of `by`.
///
/// # Errors
/// When the person is unknown or may not, or the store can not keep it.
pub async fn resume(
    store: &Store,
    config: &Config,
    clock: &Clock,
    (by, channel): (&PersonId, &str),
    reason: &str,
) -> anyhow::Result<Resumed> {
    let person = known(config, by)?;
    anyhow::ensure!(
        may_resume(person),
        "{} may not let things leave again; ask an administrator or an approver of tier {RESUME_TIER} or more",
        person.name
    );
    let file = stop_file(&config.safety.stop_file).await;
    let Some(holds) = store.find_stop().await? else { return Ok(Resumed { ended: None, file }) };
    let reason: String = reason.trim().chars().take(REASON_CHARS).collect();
    let now = clock.now();
    let detail =
        json!({ "reason": reason, "stopped_by": holds.by, "stopped_at": holds.at, "stopped_because": holds.reason });
    let own = Stop { by: by.clone(), at: now, reason };
    let entry = entry(&own, channel, "work.resumed").with(detail);
    let told = store.told_by_command(channel, by, &[SUBJECT, "resumed", &now.to_string()], "a stop of Reeve was ended", now);
    let ended = store.resume(now, told.as_slice(), &store.with_os_user(entry)).await?;
    Ok(Resumed { ended: ended.then_some(holds), file })
}

fn known<'c>(config: &'c Config, by: &PersonId) -> anyhow::Result<&'c Person> {
    let found = config.people.iter().find(|p| p.id == *by);
    found.ok_or_else(|| anyhow::anyhow!("there is no person {:?} in the configuration; name one of [[people]]", by.as_str()))
}

fn entry(stop: &Stop, channel: &str, action: &str) -> AuditEntry {
    AuditEntry::by(stop.by.as_str(), channel, stop.at, action, SUBJECT.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::BY_COMMAND;
    use crate::store::testing::on_each;

    fn config() -> Config {
        let mut config = Config::load_from(None, &[]).unwrap();
        let person = |id: &str, roles: &[Role], tier| Person {
            name: id.to_owned(),
            roles: roles.to_vec(),
            tier,
            ..Person::gone(PersonId::new(id))
        };
        config.people = vec![
            person("viv", &[Role::Viewer], 0),
            person("pia", &[Role::Planner], 0),
            person("abe", &[Role::Approver], 1),
            person("ari", &[Role::Approver], 2),
            person("adm", &[Role::Admin], 0),
            person("fin", &[Role::Finance], 4),
            person("system", &[Role::Admin], 0),
        ];
        config
    }

    #[tokio::test]
    async fn whoever_decides_or_administers_may_stop_and_fewer_may_resume() {
        on_each(|store| async move {
            let (config, clock) = (config(), Clock::System);
            for (who, may_stop, may_resume) in [
                ("viv", false, false),
                ("pia", true, false),
                ("abe", true, false),
                ("ari", true, true),
                ("adm", true, true),
                ("fin", true, false),
                ("system", false, false),
                ("nobody", false, false),
            ] {
                let by = (&PersonId::new(who), BY_COMMAND);
                let stopped = stop(&store, &config, &clock, by, "wrong prices").await;
                assert_eq!(stopped.is_ok(), may_stop, "{who}: {stopped:?}");
                assert_eq!(resume(&store, &config, &clock, by, "").await.is_ok(), may_resume, "{who}");
                resume(&store, &config, &clock, (&PersonId::new("adm"), "web"), "").await.unwrap();
            }
            let log = store.list_audit_of(SUBJECT).await.unwrap();
            assert_eq!(log.len(), 10, "five stops that began, each ended once");
            assert_eq!((&*log[0].entry.actor, &*log[0].entry.action), ("pia", "work.stopped"));
            assert_eq!(log[1].entry.detail["stopped_by"], "pia");
            assert_eq!(store.count_untold(&PersonId::new("ari")).await.unwrap(), 2, "what a command did in their name");
        })
        .await;
    }

    #[tokio::test]
    async fn stopping_twice_is_stopping_once_and_a_reason_is_needed() {
        on_each(|store| async move {
            let (config, clock) = (config(), Clock::System);
            let by = |who: &str| PersonId::new(who);
            assert!(stop(&store, &config, &clock, (&by("pia"), "web"), " \n").await.is_err());
            assert_eq!(stopped(&store, &config).await.unwrap(), None);
            assert!(stop(&store, &config, &clock, (&by("pia"), "web"), "first.").await.unwrap().1);
            let (holds, is_new) = stop(&store, &config, &clock, (&by("ari"), "web"), "second").await.unwrap();
            assert_eq!((holds.by.as_str(), &*holds.reason, is_new), ("pia", "first.", false));
            let says = stopped(&store, &config).await.unwrap().unwrap().says(&config);
            assert!(says.contains("pia stopped it at ") && says.contains("UTC: first. `reeve resume"), "{says}");
            let done = resume(&store, &config, &clock, (&by("ari"), "web"), "fine again").await.unwrap();
            assert_eq!(done.ended, Some(holds));
            let again = resume(&store, &config, &clock, (&by("ari"), "web"), "").await.unwrap();
            assert_eq!(again, Resumed { ended: None, file: None });
            assert_eq!(store.list_audit_of(SUBJECT).await.unwrap().len(), 2);
        })
        .await;
    }
}
