//! Who hears of what nobody decides: reminders and the steps of the policy's chain, in working hours, outside quiet hours, no
//! more than a person can take. Silence is not consent: nothing here answers anything.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::queue::{Sweep, case_entry, moved};
use super::{Approvals, failed};
use crate::domain::audit::Chained;
use crate::domain::case::Case;
use crate::domain::decision::Event;
use crate::domain::ids::PersonId;
use crate::domain::policy::{Addressee, Attempt, Person, Recipients, Role, Signer, Step, Tier};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::drill;
use crate::store::{Change, Notice, NoticeKind, StoreError};

/// The log's entry of a reminder, and of an escalation.
const REMINDED: &str = "case.reminded";
const ESCALATED: &str = "case.escalated";

/// A step of the chain that is due, with its number among the tier's, from 1.
struct Due<'p> {
    level: u8,
    step: &'p Step,
}

/// What the log's entry of a step says.
#[derive(Serialize, Deserialize)]
struct StepTaken {
    /// Its number, from 1: what is looked for to know which step is the next.
    level: u8,
    /// Whom it told and why; only shown.
    #[serde(flatten)]
    more: Value,
}

impl Approvals {
    /// Takes the next step of the chain for a case, where one is due and somebody may be disturbed. A case that is drafted
    /// anew on newer facts has waited no less for it.
    pub(super) async fn escalate(
        &self,
        case: &Case,
        recs: &[(Recommendation, i64)],
        now: Timestamp,
        sweep: &mut Sweep,
    ) -> anyhow::Result<()> {
        let policy = &self.config.rules.policy;
        let log = self.store.list_audit_of(&format!("case:{}", case.id)).await?;
        let since = waiting_since(case, &log);
        let taken = last_level(&log, since);
        // Judging a case reads much, and most cases have no step due: first it is asked whether any tier's chain has one.
        let could_be_due = Tier::ALL.iter().map(|tier| policy.steps_due(*tier, since, now).len()).max().unwrap_or(0);
        // Nobody is told of what nobody is shown, since a drill waits in its place.
        let hidden = drill::hidden(recs, &self.store.list_drills_of(&case.id).await?);
        let shown = recs.iter().filter(|(r, _)| r.state.is_before_people() && !hidden.contains(&r.id));
        let Some((rec, seen)) = shown.min_by_key(|(r, _)| r.rank) else { return Ok(()) };
        if could_be_due <= usize::from(taken) || policy.may_be_said_from(now).is_none_or(|from| from > now) {
            return Ok(());
        }
        let grounds = self.grounds(now).await?;
        let (ruling, facts, signed) = self.missing_signature(&grounds, case, rec, now).await?;
        let due = policy.steps_due(ruling.tier, since, now).into_iter().zip(1u8..);
        let Some(due) = due.map(|((_, step, _), level)| Due { level, step }).find(|due| due.level > taken) else {
            return Ok(());
        };
        // Who changed it may not sign it: telling them would use up the step.
        let mut touched = self.recheck.concerned(case).await?;
        touched.extend(crate::rules::edit::editors(rec).iter().cloned());
        // Nobody signs here. What is asked is who could give the signature that is missing.
        let everybody = self.everybody(&grounds, now);
        let nobody = Signer::own(Person::gone(PersonId::new("stage:approve")));
        let attempt = Attempt { signer: &nobody, ruling: &ruling, facts: &facts, signed: &signed, touched_by: &touched };
        // Whoever took it, or the planner whose digest it is in.
        let owner = match &case.owner {
            Some(owner) => Some(owner.clone()),
            None => self.recheck.owner(case).await?,
        };
        let of = Recipients { attempt, owner: owner.as_ref(), everybody: &everybody };
        // A case that nobody looks after is everybody's who plans.
        let to = match &due.step.to {
            Addressee::Owner if owner.is_none() => &Addressee::Role(Role::Planner),
            to => to,
        };
        let recipients = policy.recipients(to, &of);
        let told = self.not_yet_full(&recipients, now).await?;
        if told.is_empty() && !recipients.is_empty() {
            return Ok(()); // everybody has heard enough today
        }
        self.take_step(case, (rec, *seen), &due, &told, since, now, sweep).await
    }

    /// Those who have not been told too much today.
    async fn not_yet_full(&self, recipients: &BTreeSet<PersonId>, now: Timestamp) -> anyhow::Result<Vec<PersonId>> {
        let today = self.config.rules.policy.hours.day_start(now);
        let mut told = Vec::new();
        for person in recipients {
            // To whoever is told, a reminder and an escalation are two messages alike.
            let mut count = 0;
            for kind in [NoticeKind::Reminded, NoticeKind::Escalated] {
                count += self.store.count_notices(person, kind, today).await.map_err(failed)?;
            }
            if self.config.rules.policy.may_tell(u16::try_from(count).unwrap_or(u16::MAX)) {
                told.push(person.clone());
            }
        }
        Ok(told)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of one chain, everything about it read by its only caller")]
    async fn take_step(
        &self,
        case: &Case,
        (rec, seen): (&Recommendation, i64),
        due: &Due<'_>,
        told: &[PersonId],
        since: Timestamp,
        now: Timestamp,
        sweep: &mut Sweep,
    ) -> anyhow::Result<()> {
        let reminds = due.step.to == Addressee::Owner;
        let (name, kind) = if reminds { (REMINDED, NoticeKind::Reminded) } else { (ESCALATED, NoticeKind::Escalated) };
        let waited = now.duration_since(since);
        let at_stake = case.rank.as_ref().map(|r| r.at_stake);
        let more = json!({
            "to": due.step.to,
            "told": told,
            "waiting_hours": waited.as_hours(),
            "at_stake": at_stake,
            "owner": case.owner,
        });
        let detail = json!(StepTaken { level: due.level, more });
        let said = format!("{} waits for a decision since {} hours", case.headline, waited.as_hours());
        // A case that came back from a snooze waits anew, so its steps are told anew.
        let occasion = [case.id.as_str(), &since.to_string(), &due.level.to_string()];
        let notices: Vec<Notice> =
            told.iter().map(|to| Notice::new(to, kind, &occasion, said.clone(), now).about(&case.id, None)).collect();
        let mut recommendations = Vec::new();
        // Only a step that asks others changes where the proposal stands.
        if !reminds && rec.state.level() < due.level {
            let state = rec.state.clone().after(Event::Escalate { level: due.level }, now)?;
            recommendations.push((Recommendation { state, ..rec.clone() }, seen));
        }
        // The case's version moves too: two daemons do not take one step twice.
        let seen_case = case.version;
        let cases = [moved(case.clone(), seen_case, case.updated_at)];
        let entries = [case_entry(name, case, detail, now)];
        let change = Change {
            cases: &cases,
            recommendations: &recommendations,
            notices: &notices,
            entries: &entries,
            ..Change::default()
        };
        match self.store.advance(change).await {
            Ok(()) if reminds => sweep.reminded += 1,
            Ok(()) => sweep.escalated += 1,
            // Somebody moved it in between: the next look sees what is there then.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Since when a case waits: since it was opened, or came back from a snooze.
fn waiting_since(case: &Case, log: &[Chained]) -> Timestamp {
    let woken = log.iter().rev().find(|e| e.entry.action == "case.woken").map(|e| e.entry.at);
    woken.map_or(case.opened_at, |at| at.max(case.opened_at))
}

/// The last step that was taken since then.
fn last_level(log: &[Chained], since: Timestamp) -> u8 {
    let steps = log.iter().filter(|e| e.entry.at >= since && matches!(&*e.entry.action, REMINDED | ESCALATED));
    steps.filter_map(|e| StepTaken::deserialize(&e.entry.detail).ok()).map(|step| step.level).max().unwrap_or(0)
}
