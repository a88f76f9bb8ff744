//! Decisions by command: whoever may start Reeve's commands at its machine can give any name with them.
//!
//! So they are for when the page is down, and they are guarded: the operating system's user is logged, the person whose name
//! was given is told, and what takes two people is never completed by two commands.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Approvals, Clicked, DecisionRefused, DecisionRequest, Verb, failed};
use crate::domain::audit::{AuditEntry, Chained};
use crate::domain::detail::{self, Detail as _};
use crate::domain::hand::{Hand, could_be_one};
use crate::domain::ids::PersonId;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::store::Notice;

/// The key under which an entry of the audit log keeps whose hand it could have been.
const HAND: &str = "hand";

impl Approvals {
    /// Refuses to complete what the same hand could have begun: the second of two signatures, and the approval of what was
    /// edited.
    pub(super) async fn refuse_one_hand(&self, request: &DecisionRequest, clicked: &Clicked) -> Result<(), DecisionRefused> {
        let second = if self.trusts(request) { Hand::Own } else { request.hand.clone() };
        if second == Hand::Own {
            return Ok(());
        }
        let judge = |who: &PersonId, what, first: Option<Hand>| {
            if !could_be_one(first.as_ref(), &second) {
                return Ok(());
            }
            Err(DecisionRefused::OneHand { who: self.name_of(who), what, first, second: second.clone() })
        };
        if let Some(first) = clicked.rec.state.first_signature() {
            judge(&first.by, "signed", self.hand_of_signature(&clicked.rec.id.to_string(), &first.by).await?)?;
        }
        if matches!(clicked.rec.drafter, Drafter::Edited { .. }) {
            // Whoever changed an earlier version has a hand in this one too.
            for (who, hand) in self.hands_of_edits(clicked).await? {
                judge(&who, "changed", hand)?;
            }
        }
        Ok(())
    }

    /// Is whoever clicked taken for the person, though a command made what they came by? Only where links and tokens are handed
    /// to their people; and never for a command itself: whoever starts one sets what it is configured with.
    fn trusts(&self, request: &DecisionRequest) -> bool {
        self.config.identity.links_are_handed_over && matches!(request.hand, Hand::MadeByCommand(_))
    }

    /// Whose hand the signature of `by` that stands could have been, as the audit log says.
    async fn hand_of_signature(&self, id: &str, by: &PersonId) -> Result<Option<Hand>, DecisionRefused> {
        let log = self.store.list_audit_of(&format!("recommendation:{id}")).await.map_err(failed)?;
        let signed = |e: &&Chained| e.entry.action == "recommendation.signed" && e.entry.actor == by.as_str();
        Ok(log.iter().rev().find(signed).and_then(|e| hand_in(&e.entry)))
    }

    /// Who made the edits that led to this recommendation, newest first, and whose hand each could have been, as the audit log
    /// says of the ones they were made from. An edit that the log does not tell of could have been anybody's.
    async fn hands_of_edits(&self, clicked: &Clicked) -> Result<Vec<(PersonId, Option<Hand>)>, DecisionRefused> {
        // An edited version does not say from which one it was made; the entry of the one that it took the place of does.
        let mut made_from = BTreeMap::new();
        for (sibling, _) in &clicked.siblings {
            for e in self.store.list_audit_of(&format!("recommendation:{}", sibling.id)).await.map_err(failed)? {
                if e.entry.action == "recommendation.edited"
                    && let Some(new) = detail::Became::of(&e.entry).new
                {
                    made_from.insert(new, (sibling, e.entry.clone()));
                }
            }
        }
        let (mut hands, mut at) = (Vec::new(), &clicked.rec);
        // Taken out as it is walked through: the walk ends whatever the log says.
        while let Drafter::Edited { editors, .. } = &at.drafter {
            let Some((from, entry)) = made_from.remove(&at.id) else {
                hands.extend(editors.last().map(|who| (who.clone(), None)));
                break;
            };
            hands.push((PersonId::new(entry.actor.clone()), hand_in(&entry)));
            at = from;
        }
        Ok(hands)
    }

    /// What the person whose name was given is told of a decision by command.
    pub(super) fn told_by_command(&self, request: &DecisionRequest, on: &Recommendation, now: Timestamp) -> Option<Notice> {
        let occasion = ["decision", request.idempotency_key.as_str()];
        let what = format!("{} {}", done(&request.verb), on.candidate.told());
        let notice = self.store.told_by_command(&request.channel, &request.person, &occasion, &what, now)?;
        Some(notice.about(&on.case_id, Some(&on.id)))
    }
}

/// Keeps whose hand it could have been in the entries of what the person did.
pub(super) fn with_hand(mut entry: AuditEntry, request: &DecisionRequest) -> AuditEntry {
    if entry.actor == request.person.as_str()
        && let Some(detail) = entry.detail.as_object_mut()
    {
        detail.insert(HAND.to_owned(), request.hand.recorded().into());
    }
    entry
}

/// Whose hand an entry says it could have been. Of entries from before this was kept it is not known.
fn hand_in(entry: &AuditEntry) -> Option<Hand> {
    Hand::read(entry.detail[HAND].as_str()?)
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

    /// What a command in the name of `person` comes to.
    async fn command(
        bench: &Bench,
        person: &str,
        rec: &Recommendation,
        verb: Verb,
    ) -> Result<super::super::DecisionAnswer, DecisionRefused> {
        let hand = bench.it.store.hand_of_command();
        let click = DecisionRequest { channel: "cli".to_owned(), hand, ..bench.click(person, rec, verb) };
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
            assert!(refused.to_string().contains("under an account of their own"), "{refused}");
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

    /// A click on the page by a link that `user` of the machine made.
    fn by_link(bench: &Bench, user: &str, person: &str, rec: &Recommendation) -> DecisionRequest {
        DecisionRequest { hand: Hand::MadeByCommand(user.to_owned()), ..bench.click(person, rec, Verb::Approve) }
    }

    #[tokio::test]
    async fn a_link_or_token_that_the_same_user_made_does_not_complete_what_takes_two_people() {
        on_each(|store| async move {
            let (bench, recs) = Bench::queued_in(store.opened_by("eve (uid 1001)"), 20_000).await;
            assert!(command(&bench, "ari", &recs[0], Verb::Approve).await.unwrap().needs_second);
            let before = bench.snapshot().await;
            // The same user, the same one as root, and two that name nobody: whom nobody can tell apart is not another
            // person.
            for user in ["eve (uid 1001)", "root (uid 0), logged in as eve (uid 1001)", "unknown", ""] {
                let refused = bench.it.decide(&by_link(&bench, user, "fay", &recs[0])).await.unwrap_err();
                assert!(matches!(&refused, DecisionRefused::OneHand { what: "signed", .. }), "{user}: {refused:?}");
            }
            let said = bench.it.decide(&by_link(&bench, "eve (uid 1001)", "fay", &recs[0])).await.unwrap_err().to_string();
            assert!(said.starts_with("Ari Approver signed this, and two people have to do it: that came by a command of eve (uid 1001) and this by a link or token that eve (uid 1001) made"), "{said}");
            assert_eq!(bench.snapshot().await, before);
            let done = bench.it.decide(&by_link(&bench, "fay (uid 1002)", "fay", &recs[0])).await.unwrap();
            assert_eq!(done.state, "approved", "another user of the machine is another hand");
        })
        .await;
    }

    #[tokio::test]
    async fn two_links_of_one_user_are_one_hand_unless_links_are_handed_over() {
        let (mut bench, recs) = Bench::queued(20_000).await;
        let first = bench.it.decide(&by_link(&bench, "eve (uid 1001)", "ari", &recs[0])).await.unwrap();
        assert!(first.needs_second);
        let second = by_link(&bench, "eve (uid 1001)", "fay", &recs[0]);
        assert!(matches!(bench.it.decide(&second).await, Err(DecisionRefused::OneHand { .. })));
        let mut config = (*bench.it.config).clone();
        config.identity.links_are_handed_over = true;
        bench.it.config = std::sync::Arc::new(config);
        // Whoever starts a command sets what it is configured with.
        let refused = command(&bench, "fay", &recs[0], Verb::Approve).await.unwrap_err();
        assert!(matches!(&refused, DecisionRefused::OneHand { .. }), "{refused:?}");
        assert_eq!(bench.it.decide(&second).await.unwrap().state, "approved", "the link's person is trusted");
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
        let edit = Verb::Edit { step: 1, action: Box::new(fewer) };
        let edited = command(&bench, "pia", &recs[0], edit).await.unwrap().recommendation_id;
        let (edited, _) = bench.it.store.get_recommendation(&edited).await.unwrap();
        let refused = command(&bench, "ari", &edited, Verb::Approve).await.unwrap_err();
        assert!(matches!(&refused, DecisionRefused::OneHand { what: "changed", .. }), "{refused:?}");
        assert_eq!(bench.approve("ari", &edited).await.unwrap().state, "approved_with_edit");
    }

    #[tokio::test]
    async fn an_earlier_edit_of_the_same_hand_is_not_washed_by_a_later_one() {
        let (bench, recs) = Bench::queued(500).await;
        let Action::Transfer { item, from, to, ship_on, .. } = recs[0].candidate.action.clone() else { panic!() };
        let of = |units| {
            let action = Action::Transfer {
                item: item.clone(),
                from: from.clone(),
                to: to.clone(),
                ship_on,
                quantity: Quantity::units(units),
            };
            Verb::Edit { step: 1, action: Box::new(action) }
        };
        let get = async |id: &crate::domain::ids::RecommendationId| bench.it.store.get_recommendation(id).await.unwrap().0;
        let first = get(&command(&bench, "pia", &recs[0], of(30)).await.unwrap().recommendation_id).await;
        // The later edit is made on the page: it is the first one, under it, that came from the machine.
        let second = get(&bench.decide("dan", &first, of(25)).await.unwrap().recommendation_id).await;
        let refused = command(&bench, "ari", &second, Verb::Approve).await.unwrap_err();
        assert!(matches!(&refused, DecisionRefused::OneHand { who, .. } if who == "Pia Planner"), "{refused:?}");
        assert_eq!(bench.approve("ari", &second).await.unwrap().state, "approved_with_edit");
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
