//! Tell by mail: writes letters and puts them into the outbox. A digest goes to whom it is for once it is made, and a word to whoever is
//! reminded or asked next, as the audit log says: no other part of Reeve has to think of mail.
//!
//! Each letter is put in once for each person, digest and step, and the position in the log moves in the same transaction. When nobody is to be
//! disturbed, by the clock of who would be, it waits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::letter::{Content, Drawn, Letter, Mailed};
use super::look::{self, Look};
use crate::cards::chat::page;
use crate::cards::picture::{caption, in_words, png};
use crate::cards::plain;
use crate::channels::quiet::{loud_from, news_until};
use crate::channels::waits::{self, Waits};
use crate::channels::{ChartSource, first_chart};
use crate::config::{MAIL, PlannerConfig};
use crate::domain::ids::{CaseId, PersonId, content_id};
use crate::domain::outbox::OutboxKind;
use crate::pipeline::context::Context;
use crate::pipeline::{Progress, Stage};
use crate::render;
use crate::store::{NewOutbox, StoredDigest};

/// Entries of the log that are read at once.
const ENTRIES: i64 = 500;

/// How often is looked for what is new: a few small reads.
const PERIOD: Duration = Duration::from_secs(2);

/// Up to which entry of the log people were told by mail.
const TOLD: &str = "shown.mail";

/// In what order letters to one person leave: as they were written.
const LANE: &str = "mail";

/// The stage that writes letters.
pub struct TellByMail {
    /// What every stage has at hand.
    pub context: Context,
    /// The charts of cases.
    pub charts: Arc<dyn ChartSource>,
}

#[async_trait]
impl Stage for TellByMail {
    fn name(&self) -> &'static str {
        "mail"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let config = &self.context.config;
        let mut done = 0;
        for person in &config.mail.digest {
            done += self.tell_digest(&PersonId::new(person.as_str()), None).await?;
        }
        for planner in config.planners.iter().filter(|planner| planner.to.iter().any(|to| to == MAIL)) {
            done += self.tell_digest(&planner.person, Some(planner)).await?;
        }
        done += self.tell_of_waiting().await?;
        Ok(if done == 0 { Progress::Idle } else { Progress::Advanced(done) })
    }

    async fn due_in(&self) -> Option<Duration> {
        Some(PERIOD)
    }
}

impl TellByMail {
    /// Puts in the digest of today once it is made: everybody's, or a planner's own.
    async fn tell_digest(&self, person: &PersonId, planner: Option<&PlannerConfig>) -> anyhow::Result<usize> {
        let Context { store, config, clock, .. } = &self.context;
        // The date on a planner's own digest is that of where they are (decision 127).
        let calendar = planner.map_or_else(|| config.rules.calendar.calendar(), |planner| planner.calendar(config));
        let day = calendar.day_of(clock.now());
        let whose = planner.map_or("", |planner| planner.person.as_str());
        let destination = format!("{MAIL}:{person}");
        let key = format!("shown.digest.{destination}.{whose}");
        if store.find_setting(&key).await?.as_deref() == Some(&day.to_string()) {
            return Ok(0);
        }
        let Some(kept) = store.find_digest_of(whose, day).await? else { return Ok(0) };
        let letter = self.letter(person, &kept).await?;
        let message = NewOutbox {
            expires_at: Some(news_until(config, planner, day)),
            ..self.message(OutboxKind::Digest, person, format!("digest:{day}:{whose}"), letter)?
        };
        store.put_shown(&[message], (&key, &day.to_string())).await?;
        Ok(1)
    }

    /// The letter of a digest, with the charts of its first cases.
    async fn letter(&self, person: &PersonId, kept: &StoredDigest) -> anyhow::Result<Letter> {
        let Context { store, config, clock, .. } = &self.context;
        let mut charts = Vec::new();
        for line in kept.digest.lines.iter().take(config.mail.charts) {
            let chart = match store.find_case(&line.case_id).await? {
                Some(case) => first_chart(self.charts.as_ref(), &case.subject, kept.digest.as_of).await,
                None => None,
            };
            let drawn = chart.and_then(|svg| {
                Some(Drawn { png: STANDARD.encode(png(&svg)?), words: in_words(&svg), caption: caption(&svg) })
            });
            charts.push((line.place, drawn));
        }
        let drawn = |place: u32| charts.iter().find(|(of, _)| *of == place).and_then(|(_, drawn)| drawn.clone());
        let links = self.links(person).await?;
        Ok(Letter::of_digest(kept, |line| drawn(line.place), |path| links.to(path), clock.wire()))
    }

    /// What was said to people since about cases that wait too long.
    async fn tell_of_waiting(&self) -> anyhow::Result<usize> {
        let Context { store, config, clock, .. } = &self.context;
        let Some(told) = store.find_setting(TOLD).await?.and_then(|at| at.parse::<i64>().ok()) else {
            // What was said before there was mail was said otherwise.
            store.put_setting(TOLD, &store.audit_head().await?.0.to_string()).await?;
            return Ok(0);
        };
        let entries = store.list_audit(told, ENTRIES).await?;
        let Some(last) = entries.last().map(|entry| entry.seq) else { return Ok(0) };
        let mut messages = Vec::new();
        for Waits { seq, case, hours, told } in waits::told_of(&entries) {
            let Some(case) = waits::still_shown(&self.context, &case).await? else { continue };
            let said = format!("{} waits for a decision since {hours} hours", plain(case.headline.trim_end_matches('.')));
            let stakes = case.rank.as_ref().map_or_else(String::new, |rank| {
                let left = render::pressing(rank.slack_days, rank.value.expected, rank.wait_cost);
                let currency = &config.rules.money.currency;
                format!("At stake {currency} {}, by {}, {left}.", rank.at_stake, rank.deadline)
            });
            // Who has no address is told on the page, as without mail.
            for person in told.iter().filter(|person| config.mail.address(person.as_str()).is_some()) {
                let link = self.links(person).await?.to(&format!("/cases/{}", case.id));
                let letter = Letter::of_reminder(case.id.as_str(), &said, &stakes, link.as_deref(), clock.wire());
                messages.push(self.message(OutboxKind::Reminder, person, reminder(&case.id, seq), letter)?);
            }
        }
        let more = entries.len() as i64 == ENTRIES;
        store.put_shown(&messages, (TOLD, &last.to_string())).await?;
        // A full page of the log counts as progress: the rest is read at once, and not at the next look.
        Ok(messages.len() + usize::from(more))
    }

    fn message(&self, kind: OutboxKind, to: &PersonId, shows: String, letter: Letter) -> serde_json::Result<NewOutbox> {
        let Context { config, clock, .. } = &self.context;
        let channel = format!("{MAIL}:{to}");
        let id = content_id("msg_", &[&channel, &shows], 32);
        // A planner has quiet hours of their own; everybody else has the business's.
        let zone = config.planner(to.as_str()).and_then(|planner| planner.timezone.as_ref());
        let mailed = Mailed { id: id.clone(), shows, data: Content::Letter(letter) };
        Ok(NewOutbox {
            body: serde_json::to_string(&mailed)?,
            id,
            kind,
            channel,
            created_at: clock.now(),
            due_at: loud_from(config, clock, zone),
            lane: LANE.to_owned(),
            about: String::new(),
            step: 1,
            expires_at: None,
            shows: mailed.shows,
        })
    }

    /// How pages are linked to in a letter to `person`.
    async fn links(&self, person: &PersonId) -> anyhow::Result<Links> {
        let Context { store, config, clock, .. } = &self.context;
        let Some(base) = page(config) else { return Ok(Links::None) };
        if config.mail.link_hours == 0 {
            return Ok(Links::Plain(base));
        }
        let key = look::key(store).await?;
        let stamp = store.look_stamp(person).await?;
        Ok(Links::Look { base, key, look: Look::new(person, stamp, clock.wire(), config.mail.link_hours) })
    }
}

/// What shows that a case waits: for each step that was taken.
fn reminder(case: &CaseId, seq: i64) -> String {
    format!("reminder:{case}:{seq}")
}

/// How pages are linked to.
enum Links {
    /// Nobody outside of the machine could open one.
    None,
    /// Whoever is not signed in there has to.
    Plain(String),
    /// So that its reader may look at them.
    Look { base: String, key: String, look: Look },
}

impl Links {
    fn to(&self, path: &str) -> Option<String> {
        match self {
            Self::None => None,
            Self::Plain(base) => Some(format!("{base}{path}")),
            Self::Look { base, key, look } => Some(look.link(key, base, path)),
        }
    }
}
