//! Decisions by command: whoever may start Reeve's commands at its machine can give any name with them.
//!
//! So they are for when the page is down, and they are guarded: the operating system's user is logged, the person whose name
//! was given is told, and what takes two people is never completed by two commands.

use jiff::Timestamp;

use super::{Approvals, DecisionRefused, DecisionRequest, Scene, Verb, failed};
use crate::domain::audit::BY_COMMAND;
use crate::domain::ids::PersonId;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::store::Notice;

/// Could two steps that take two people have been one person's? What came by command could be anybody's who sits at the
/// machine; where it is not known how the first one came, it counts as that.
fn could_be_one_hand(first: Option<&str>, second: &str) -> bool {
    second == BY_COMMAND && first.is_none_or(|channel| channel == BY_COMMAND)
}

impl Approvals {
    /// Refuses to complete by command what another command began: the second of two signatures, and the approval of what
    /// was edited.
    pub(super) async fn refuse_one_hand(&self, request: &DecisionRequest, scene: &Scene) -> Result<(), DecisionRefused> {
        if request.channel != BY_COMMAND {
            return Ok(());
        }
        let refused = |who: &PersonId, what| DecisionRefused::OneHand { who: self.name_of(who), what };
        if let Some(first) = scene.rec.state.first_signature() {
            let channel = self.channel_of_signature(&scene.rec.id.to_string(), &first.by).await?;
            if could_be_one_hand(channel.as_deref(), &request.channel) {
                return Err(refused(&first.by, "signed"));
            }
        }
        if let Drafter::Edited { editors, .. } = &scene.rec.drafter
            && let Some(last) = editors.last()
        {
            let channel = self.channel_of_edit(scene).await?;
            if could_be_one_hand(channel.as_deref(), &request.channel) {
                return Err(refused(last, "changed"));
            }
        }
        Ok(())
    }

    /// Through what the signature of `by` came that stands, as the audit log says.
    async fn channel_of_signature(&self, id: &str, by: &PersonId) -> Result<Option<String>, DecisionRefused> {
        let log = self.store.list_audit_of(&format!("recommendation:{id}")).await.map_err(failed)?;
        let signed =
            |e: &&crate::domain::audit::Chained| e.entry.action == "recommendation.signed" && e.entry.actor == by.as_str();
        Ok(log.iter().rev().find(signed).map(|e| e.entry.channel.clone()))
    }

    /// Through what the edit came that made this recommendation, as the audit log says of the one it was made from.
    async fn channel_of_edit(&self, scene: &Scene) -> Result<Option<String>, DecisionRefused> {
        for (sibling, _) in &scene.siblings {
            let log = self.store.list_audit_of(&format!("recommendation:{}", sibling.id)).await.map_err(failed)?;
            let made = log
                .iter()
                .rev()
                .find(|e| e.entry.action == "recommendation.edited" && e.entry.detail["new"] == scene.rec.id.as_str());
            if let Some(made) = made {
                return Ok(Some(made.entry.channel.clone()));
            }
        }
        Ok(None)
    }

    /// What the person whose name was given is told of a decision by command.
    pub(super) fn told_by_command(&self, request: &DecisionRequest, on: &Recommendation, now: Timestamp) -> Option<Notice> {
        let occasion = ["decision", request.idempotency_key.as_str()];
        let what = format!("{} {}", done(&request.verb), on.candidate.summary);
        let notice = self.store.told_by_command(&request.channel, &request.person, &occasion, &what, now)?;
        Some(notice.about(&on.case_id, Some(&on.id)))
    }
}

fn done(verb: &Verb) -> &'static str {
    match verb {
        Verb::Approve => "approved:",
        Verb::Edit { .. } => "edited:",
        Verb::Reject { .. } => "rejected:",
        Verb::Snooze { .. } => "put off:",
        Verb::Forward { .. } => "passed on:",
        Verb::Return { .. } => "given back:",
        Verb::Merge { .. } => "its case merged into another:",
        Verb::Undo => "decision taken back:",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Bench;
    use super::*;
    use crate::domain::action::Action;
    use crate::domain::money::Quantity;
    use crate::store::NoticeKind;
    use crate::store::testing::on_each;

    #[test]
    fn only_two_commands_could_be_one_hand() {
        for (first, second, could) in [
            (Some("cli"), "cli", true),
            (None, "cli", true),
            (Some("web"), "cli", false),
            (Some("api"), "cli", false),
            (Some("cli"), "web", false),
            (Some("cli"), "api", false),
            (None, "web", false),
            (Some("web"), "web", false),
        ] {
            assert_eq!(could_be_one_hand(first, second), could, "{first:?} {second}");
        }
    }

    /// What a command in the name of `person` comes to.
    async fn command(
        bench: &Bench,
        person: &str,
        rec: &Recommendation,
        verb: Verb,
    ) -> Result<super::super::DecisionAnswer, DecisionRefused> {
        let click = DecisionRequest { channel: "cli".to_owned(), ..bench.click(person, rec, verb) };
        bench.it.decide(&click).await
    }

    #[tokio::test]
    async fn two_commands_never_complete_what_takes_two_people() {
        on_each(|store| async move {
            // That much takes two people, one of finance.
            let (bench, recs) = Bench::queued_in(store.opened_by("eve (uid 1001)"), 20_000).await;
            let first = command(&bench, "ari", &recs[0], Verb::Approve).await.unwrap();
            assert!(first.needs_second, "{first:?}");
            let before = bench.snapshot().await;
            let refused = command(&bench, "fay", &recs[0], Verb::Approve).await.unwrap_err();
            assert!(matches!(&refused, DecisionRefused::OneHand { who, .. } if who == "Ari Approver"), "{refused:?}");
            assert!(refused.to_string().contains("sign on the page"), "{refused}");
            assert_eq!(bench.snapshot().await, before);
            // Passing it on does not wash it.
            let on = Verb::Forward { to: PersonId::new("fay"), note: String::new() };
            bench.decide("pia", &recs[0], on).await.unwrap();
            assert!(matches!(command(&bench, "fay", &recs[0], Verb::Approve).await, Err(DecisionRefused::OneHand { .. })));
            let done = bench.approve("fay", &recs[0]).await.unwrap();
            assert_eq!(done.state, "approved", "on the page she can");
        })
        .await;
    }

    #[tokio::test]
    async fn a_command_completes_what_was_signed_on_the_page() {
        let (bench, recs) = Bench::queued(20_000).await;
        assert!(bench.approve("ari", &recs[0]).await.unwrap().needs_second);
        assert_eq!(command(&bench, "fay", &recs[0], Verb::Approve).await.unwrap().state, "approved");
    }

    #[tokio::test]
    async fn an_edit_by_command_is_not_approved_by_another_command() {
        let (bench, recs) = Bench::queued(500).await;
        let Action::Transfer { item, from, to, ship_on, .. } = recs[0].candidate.action.clone() else { panic!() };
        let fewer = Action::Transfer { item, from, to, ship_on, quantity: Quantity::units(30) };
        let edit = Verb::Edit { action: Box::new(fewer) };
        let edited = command(&bench, "pia", &recs[0], edit).await.unwrap().recommendation_id;
        let (edited, _) = bench.it.store.get_recommendation(&edited).await.unwrap();
        let refused = command(&bench, "ari", &edited, Verb::Approve).await.unwrap_err();
        assert!(matches!(&refused, DecisionRefused::OneHand { what: "changed", .. }), "{refused:?}");
        assert_eq!(bench.approve("ari", &edited).await.unwrap().state, "approved_with_edit");
    }

    #[tokio::test]
    async fn whose_name_a_command_gives_is_told_and_the_log_names_who_sat_at_the_machine() {
        on_each(|store| async move {
            let (bench, recs) = Bench::queued_in(store.opened_by("eve (uid 1001)"), 500).await;
            let (store, ari) = (&bench.it.store, PersonId::new("ari"));
            bench.approve("ari", &recs[0]).await.unwrap();
            bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
            bench.later(1);
            assert_eq!(store.count_untold(&ari).await.unwrap(), 0, "what one does on the page is one's own");
            command(&bench, "ari", &recs[0], Verb::Approve).await.unwrap();
            let told = store.list_notices(&ari).await.unwrap();
            assert_eq!(
                (told.len(), told[0].kind, told[0].case_id.as_ref()),
                (1, NoticeKind::ByCommand, Some(&recs[0].case_id))
            );
            assert_eq!(told[0].said, "By command, by eve (uid 1001) at the machine, in your name: approved: Do TRANSFER");
            assert_eq!(store.count_untold(&ari).await.unwrap(), 1);
            bench.later(1);
            command(&bench, "ari", &recs[0], Verb::Undo).await.unwrap();
            assert_eq!(store.count_untold(&ari).await.unwrap(), 2);
            store.mark_told(&ari, bench.it.clock.now()).await.unwrap();
            assert!(store.list_notices(&ari).await.unwrap().is_empty());
            let log = store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
            let users: Vec<_> = log
                .iter()
                .filter(|e| e.entry.actor == "ari")
                .map(|e| (e.entry.channel.as_str(), e.entry.detail["os_user"].as_str()))
                .collect();
            let eve = Some("eve (uid 1001)");
            assert_eq!(users, [("web", None), ("web", None), ("cli", eve), ("cli", eve)]);

            let (today, fay) = (bench.it.today(bench.it.clock.now()), PersonId::new("fay"));
            let days = (today, today.tomorrow().unwrap());
            let made = bench.it.delegate(&ari, &fay, days, "on leave", "cli").await.unwrap();
            assert!(store.list_notices(&ari).await.unwrap()[0].said.contains("eve (uid 1001)"));
            bench.it.end_delegation(&made.id, &ari, "cli").await.unwrap();
            assert_eq!(store.count_untold(&ari).await.unwrap(), 2);
            for e in store.list_audit_of(&format!("delegation:{}", made.id)).await.unwrap() {
                assert_eq!(e.entry.detail["os_user"], "eve (uid 1001)");
            }
            store.verify_audit().await.unwrap();
        })
        .await;
    }
}
