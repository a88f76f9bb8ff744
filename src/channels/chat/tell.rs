//! Tell: puts into the outbox what chats are to show. The audit log is what it reads: every change of a case or of what is
//! proposed for it stands there, whoever made it and through whatever, so no other part of Reeve has to think of chats.
//!
//! A card is put in where it differs from the last one that was; the position in the log moves in the same transaction. What is in
//! shadow, latent, muted, a proposal about Reeve itself, or has a drill in it, is not put up. When nobody is to be disturbed a new card waits;
//! what is up already is changed at once, for that makes no noise.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::cards::case::in_order;
use crate::cards::chat::{ChatCard, ChatDigest, ChatNote, ChatParts, Content, Message, case_link};
use crate::cards::names::{Names, actor_name};
use crate::cards::plain;
use crate::channels::quiet::{loud_from, news_until};
use crate::channels::waits::{self, Waits};
use crate::channels::{ChartSource, first_chart};
use crate::config::{MAIL, PlannerConfig};
use crate::domain::audit::Chained;
use crate::domain::case::{Case, CaseState};
use crate::domain::ids::{CaseId, PersonId, RecommendationId, content_id};
use crate::domain::outbox::OutboxKind;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::context::Context;
use crate::pipeline::noise::{Muting, drill};
use crate::pipeline::{Progress, Stage};
use crate::rules::alternatives::told_apart;
use crate::store::{CaseAfter, IdentityRow, IdentityState, NewOutbox, OutboxRow, StoreError};

/// Entries of the log that are read at once.
const ENTRIES: i64 = 500;

/// How often the log is looked at for what is new: two small reads.
const PERIOD: Duration = Duration::from_secs(2);

/// In what order cards are put up: each waits for the one before, so that a channel that was away gets them in order.
const NEW: &str = "shown";
/// In what order each is changed. Of its own, so that a change does not wait for the morning behind a new card, and for each case, so that
/// one that does not get through holds up no other.
const CHANGED: &str = "shown again";

/// The stage that tells chats.
pub struct Tell {
    /// What every stage has at hand.
    pub context: Context,
    /// The charts of cases.
    pub charts: Arc<dyn ChartSource>,
}

/// A card that is put in.
struct Put {
    shows: String,
    card: ChatCard,
    chart: Option<String>,
    /// Does it stand in the chat already?
    is_up: bool,
}

#[async_trait]
impl Stage for Tell {
    fn name(&self) -> &'static str {
        "tell"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let mut done = 0;
        for destination in self.context.config.card_destinations() {
            done += self.tell_cases(&destination).await?;
        }
        for destination in self.context.config.digest_destinations() {
            done += self.tell_digest(&destination, None).await?;
        }
        for planner in &self.context.config.planners {
            // What goes by mail is a letter, and written elsewhere.
            for destination in planner.destinations().iter().filter(|to| !to.starts_with(MAIL)) {
                done += self.tell_digest(destination, Some(planner)).await?;
            }
        }
        Ok(if done == 0 { Progress::Idle } else { Progress::Advanced(done) })
    }

    async fn due_in(&self) -> Option<Duration> {
        // Nobody wakes it for what is decided on the page, by the API or in another process, and whoever decided looks at the card.
        Some(PERIOD)
    }
}

impl Tell {
    /// Tells one destination what has changed since it was told last; one that never was, what waits for a decision.
    async fn tell_cases(&self, destination: &str) -> anyhow::Result<usize> {
        let store = &self.context.store;
        let key = format!("shown.{destination}");
        let told = store.find_setting(&key).await?.and_then(|at| at.parse::<i64>().ok());
        let (cases, entries, position, more) = if let Some(at) = told {
            let entries = store.list_audit(at, ENTRIES).await?;
            let Some(last) = entries.last() else { return Ok(0) };
            let (last, more) = (last.seq, entries.len() as i64 == ENTRIES);
            (self.cases_in(&entries).await?, entries, last, more)
        } else {
            // First the position: what happens while the cases are read is told once more.
            let head = store.audit_head().await?.0;
            (Vec::new(), Vec::new(), head, false)
        };
        let now = self.context.clock.now();
        let muting = Muting::load(store, &self.context.config, now).await?;
        // Whatever is decided or ends makes room for what comes next, so the first are looked at each time.
        let pressing = self.pressing(&muting).await?;
        let rest: Vec<&CaseId> = pressing.iter().filter(|id| !cases.contains(id)).collect();
        let mut cards = Vec::new();
        for id in cases.iter().chain(rest) {
            cards.extend(self.card(destination, id, pressing.contains(id)).await?);
        }
        let loud = loud_from(&self.context.config, &self.context.clock, None);
        let mut messages = Vec::new();
        for Put { shows, card, chart, is_up } in cards {
            let content = Content::Card(card);
            let said = serde_json::to_string(&content)?;
            // With the position: a card that goes back to how it once was is one more message, not the old one.
            let id = content_id("msg_", &[destination, &shows, &said, &position.to_string()], 32);
            messages.push(NewOutbox {
                body: serde_json::to_string(&Message { id: id.clone(), shows: shows.clone(), data: content, chart })?,
                id,
                kind: OutboxKind::Card,
                channel: destination.to_owned(),
                created_at: now,
                due_at: if is_up { now } else { loud },
                lane: if is_up { format!("{CHANGED}:{shows}") } else { NEW.to_owned() },
                about: String::new(),
                step: 1,
                expires_at: None,
                shows,
            });
        }
        messages.extend(self.reminders(destination, &entries).await?);
        store.put_shown(&messages, (&key, &position.to_string())).await?;
        // A full page of the log counts as progress: the rest is read at once, and not at the next look.
        Ok(messages.len() + usize::from(more))
    }

    /// The most pressing of the cases that wait for people and are not muted: as many as a digest has lines. A channel in which all of a
    /// thousand stood would be read by nobody; the others are on the page, and come up when it is their turn.
    async fn pressing(&self, muting: &Muting) -> Result<Vec<CaseId>, StoreError> {
        let Context { store, config, .. } = &self.context;
        let capacity = config.rules.ranking.capacity;
        let (mut found, mut after): (Vec<CaseId>, Option<CaseAfter>) = (Vec::new(), None);
        // Some of a page are muted or proposals to mute: then the next one is looked at.
        while found.len() < capacity {
            let page = store.list_cases_after(CaseState::UNDECIDED, None, after.as_ref(), capacity).await?;
            let Some(last) = page.last() else { break };
            after = Some(CaseAfter::of(last));
            let hidden = muting.hides_each(store, &page).await?;
            let shown = page.into_iter().zip(hidden).filter(|(case, hidden)| hidden.is_none() && !case.is_mute_proposal());
            found.extend(shown.map(|(case, _)| case.id));
        }
        found.truncate(capacity);
        Ok(found)
    }

    /// The cases that entries are about, each once, in their order.
    async fn cases_in(&self, entries: &[Chained]) -> anyhow::Result<Vec<CaseId>> {
        let (mut cases, mut seen) = (Vec::new(), BTreeSet::new());
        for Chained { entry, .. } in entries {
            let about = if let Some(id) = entry.subject.strip_prefix("case:") {
                vec![CaseId::new(id)]
            } else if let Some(id) = entry.subject.strip_prefix("recommendation:") {
                match self.context.store.get_recommendation(&RecommendationId::new(id)).await {
                    Ok((rec, _)) => vec![rec.case_id],
                    Err(StoreError::NotFound { .. }) => Vec::new(),
                    Err(error) => return Err(error.into()),
                }
            } else {
                Vec::new()
            };
            cases.extend(about.into_iter().filter(|id| seen.insert(id.clone())));
        }
        Ok(cases)
    }

    /// The card of a case, where it has to be put in. What is not up comes up only where it is among the most pressing.
    async fn card(&self, destination: &str, id: &CaseId, is_pressing: bool) -> anyhow::Result<Option<Put>> {
        let store = &self.context.store;
        let Some(case) = store.find_case(id).await? else { return Ok(None) };
        if case.is_mute_proposal() || case.state.is_shadow() {
            return Ok(None);
        }
        let shows = format!("case:{id}");
        let before = store.find_showing(destination, &shows).await?;
        if before.is_none() && !(is_pressing && matches!(case.state, CaseState::New | CaseState::Open)) {
            return Ok(None);
        }
        let all = store.list_recommendations(id).await?;
        let drills = store.list_drills_of(id).await?;
        if !drill::hidden(&all, &drills).is_empty() {
            // What is up stays as it is until the drill is over: a change now would give it away, and a drill never leaves.
            return Ok(None);
        }
        let recommendations = in_order(&drill::true_ones(all, &drills));
        let card = self.compose(&case, &recommendations).await?;
        // Not put up where nothing can be done about it: such a card would be in the way of others.
        if before.is_none() && !card.open {
            return Ok(None);
        }
        let before = before.map(|row| message_in(&row));
        let (up, chart) = before.clone().flatten().map_or((None, None), |message| (Some(message.data), message.chart));
        if up == Some(Content::Card(card.clone())) {
            return Ok(None);
        }
        // While a look comes in nothing can be drawn, and what was drawn last is better than nothing.
        let chart = first_chart(self.charts.as_ref(), &case.subject, self.context.clock.now()).await.or(chart);
        // Put in is not up: until the first message has arrived, a newer state takes its place and waits as it did.
        let is_up = before.is_some() && store.find_place(destination, &shows, "").await?.reference.is_some();
        Ok(Some(Put { shows, card, chart, is_up }))
    }

    async fn compose(&self, case: &Case, recommendations: &[(Recommendation, i64)]) -> anyhow::Result<ChatCard> {
        let Context { store, config, moments, .. } = &self.context;
        let told = if recommendations.is_empty() {
            Vec::new()
        } else {
            // Only names are taken from it, which are right in half of a story, too: a card does not wait for a look to end.
            let moment = moments.now_or_half().await?;
            told_apart(&moment.book, &recommendations.iter().map(|(rec, _)| rec).collect::<Vec<_>>())
        };
        let evidence = match &case.evidence_hash {
            Some(hash) => Some(store.get_bundle(&case.id, hash).await?),
            None => store.find_latest_bundle(&case.id).await?,
        };
        let mut history = Vec::new();
        for (rec, _) in recommendations {
            history.extend(store.list_audit_of(&format!("recommendation:{}", rec.id)).await?);
        }
        history.sort_by_key(|entry| entry.seq);
        let names = Names::about(store, [&case.subject]).await?;
        Ok(ChatCard::of(&ChatParts {
            case,
            recommendations,
            told_apart: &told,
            evidence: evidence.as_ref(),
            history: &history,
            names: &names,
            config,
        }))
    }

    /// What was said to people since about cases that wait too long: beside the card where it is up, and else by itself.
    async fn reminders(&self, destination: &str, entries: &[Chained]) -> anyhow::Result<Vec<NewOutbox>> {
        let Context { store, config, .. } = &self.context;
        let mut messages = Vec::new();
        for Waits { seq, case: id, hours, told } in waits::told_of(entries) {
            let Some(case) = waits::still_shown(&self.context, &id).await? else { continue };
            let up = store.find_place(destination, &format!("case:{id}"), "").await?.reference;
            // Mentioned where they are linked; who is not is told on the page.
            let (users, names) = self.users(destination, &told).await?.into_iter().unzip();
            let data = Content::Note(ChatNote {
                case: id.to_string(),
                text: format!("{} waits for a decision since {hours} hours.", plain(case.headline.trim_end_matches('.'))),
                under: up.unwrap_or_default(),
                users,
                names,
                link: case_link(config, &id),
            });
            let shows = format!("reminder:{id}:{seq}");
            let message = content_id("msg_", &[destination, &shows], 32);
            messages.push(self.to_show(
                OutboxKind::Reminder,
                destination,
                Message { id: message, shows, data, chart: None },
                None,
            )?);
        }
        Ok(messages)
    }

    /// Something that is put up once and not changed, when it is not quiet: for a planner where they are.
    fn to_show(
        &self,
        kind: OutboxKind,
        destination: &str,
        message: Message,
        planner: Option<&PlannerConfig>,
    ) -> serde_json::Result<NewOutbox> {
        let Context { config, clock, .. } = &self.context;
        Ok(NewOutbox {
            body: serde_json::to_string(&message)?,
            id: message.id,
            kind,
            channel: destination.to_owned(),
            created_at: clock.now(),
            due_at: loud_from(config, clock, planner.and_then(|planner| planner.timezone.as_ref())),
            lane: NEW.to_owned(),
            about: String::new(),
            step: 1,
            expires_at: None,
            shows: message.shows,
        })
    }

    /// The ids in the chat of those people who are linked there now, with their names.
    async fn users(&self, destination: &str, people: &[PersonId]) -> Result<Vec<(String, String)>, StoreError> {
        let chat = destination.split(':').next().unwrap_or_default();
        let now = self.context.clock.wire();
        let mut users = Vec::new();
        for person in people {
            let links = self.context.store.list_identities(Some(person)).await?;
            let holds =
                |l: &&IdentityRow| l.state == IdentityState::Verified && l.expires_at.is_some_and(|until| now < until);
            // Of a workspace that is not the one any more an id may be somebody else's here.
            let here =
                |l: &&IdentityRow| l.channel == chat && self.context.config.chat_tenant(chat) == Some(l.tenant.as_str());
            let name = actor_name(person.as_str(), &self.context.config.people);
            users.extend(links.iter().filter(holds).filter(here).map(|l| (l.user_id.clone(), name.clone())));
        }
        Ok(users)
    }

    /// Puts in the digest of today once it is made, everybody's or a planner's own, once for each destination.
    async fn tell_digest(&self, destination: &str, planner: Option<&PlannerConfig>) -> anyhow::Result<usize> {
        let Context { store, config, clock, .. } = &self.context;
        // The date on a planner's own digest is that of where they are (decision 127).
        let calendar = planner.map_or_else(|| config.rules.calendar.calendar(), |planner| planner.calendar(config));
        let day = calendar.day_of(clock.now());
        let whose = planner.map_or("", |planner| planner.person.as_str());
        // Everybody's is called what it was called before there were others.
        let of = if whose.is_empty() { String::new() } else { format!(":{whose}") };
        let key = format!("shown.digest.{destination}{of}");
        if store.find_setting(&key).await?.as_deref() == Some(&day.to_string()) {
            return Ok(0);
        }
        let Some(made) = store.find_digest_of(whose, day).await? else { return Ok(0) };
        let shows = format!("digest:{day}{of}");
        let id = content_id("msg_", &["digest", destination, &format!("{day}{of}")], 32);
        let data = Content::Digest(ChatDigest::of(&made.digest, config));
        let message = NewOutbox {
            expires_at: Some(news_until(config, planner, day)),
            ..self.to_show(OutboxKind::Digest, destination, Message { id, shows, data, chart: None }, planner)?
        };
        store.put_shown(&[message], (&key, &day.to_string())).await?;
        Ok(1)
    }
}

/// The message that was put in.
pub(in crate::channels) fn message_in(row: &OutboxRow) -> Option<Message> {
    serde_json::from_str(&row.body).ok()
}
