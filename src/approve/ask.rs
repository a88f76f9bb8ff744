//! What a person asks for, read from the loose fields that a form, a body in JSON and a command's flags have.
//!
//! There is one reading of them, so that a day, a quantity or a reason means the same wherever it is typed. Pages, API and
//! shell fill the fields and say in their own words what can not be read.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::request::{DecisionRequest, Verb};
use crate::domain::action::Candidate;
use crate::domain::decision::{DecisionVerb, RejectReason, WakeCondition};
use crate::domain::hand::Hand;
use crate::domain::ids::{CaseId, PersonId, RecommendationId, is_id};
use crate::domain::money::{Money, Quantity};
use crate::rules::edit::action_with;

/// Longest quantity that is read, in letters: a decimal has at most 29 digits.
const QUANTITY_MAX: usize = 30;

/// The fields as they come. What a verb does not need is empty, and is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Loose {
    /// The recommendation's id.
    pub recommendation: String,
    /// The hash of the content that was read.
    pub content_hash: String,
    /// What names this request: the same for each retry of it.
    pub key: String,
    /// What is asked, by name: `approve`.
    pub verb: String,
    /// Of an edit of a plan: which step, from 1; empty for the first.
    pub step: String,
    /// Of an edit: the new quantity, where it is to change.
    pub quantity: Option<String>,
    /// Of an edit: the new day, where it is to change.
    pub date: Option<String>,
    /// Of a rejection: the reason's code.
    pub reason: String,
    /// What is said beside it.
    pub note: String,
    /// Of a snooze: the day on which it ends.
    pub until: String,
    /// Of a snooze: what ends it earlier: `grew` (or nothing), `stage` or `above`.
    pub wake: String,
    /// Of a snooze that ends `above` a value: which.
    pub above: String,
    /// Of what is passed on: to whom.
    pub to: String,
    /// Of a merge: the other case.
    pub into: String,
}

/// A field that can not be read, with what it said. The words are the page's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Nothing that a person can ask for.
    #[error("{0:?} is nothing that can be decided")]
    Verb(String),
    /// No reason.
    #[error("choose a reason: it is what Reeve learns from")]
    Reason(String),
    /// No day.
    #[error("{text:?} is not a day such as 2026-10-31")]
    Day {
        /// In which field: `date` or `until`.
        field: &'static str,
        /// What it said.
        text: String,
    },
    /// No step of the plan.
    #[error("{0:?} is no step of this plan: name one of its {1}, by number")]
    Step(String, u32),
    /// No number.
    #[error("{0:?} is not a quantity such as 40 or 12.5")]
    Quantity(String),
    /// Nobody is named.
    #[error("choose whom to ask")]
    Nobody,
    /// No case's id.
    #[error("{0:?} is no case: copy the id from the address of its page")]
    Case(String),
    /// Nothing that ends a snooze.
    #[error("{0:?} ends no snooze")]
    Wake(String),
    /// No value, or one below zero.
    #[error("say above which value it comes back, such as 500")]
    Above(String),
}

/// A person's request: what they ask for, on what, on which content. Who asks is not in it: that is who is signed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What they want.
    pub verb: Verb,
    /// On which recommendation.
    pub recommendation: RecommendationId,
    /// The content that they read.
    pub content_hash: String,
    /// What names it.
    pub key: String,
    /// Through what it came: `web`, `api`, `cli`.
    pub channel: &'static str,
}

impl Ask {
    /// Reads what came through `channel`; `proposed` is the plan of which an edit changes a step. Where several are decided at once
    /// there is none, and nothing can be edited.
    ///
    /// # Errors
    /// The first field that can not be read.
    pub fn parse(loose: Loose, channel: &'static str, proposed: Option<&Candidate>) -> Result<Self, Unclear> {
        Ok(Self {
            verb: verb(&loose, proposed)?,
            recommendation: RecommendationId::new(loose.recommendation),
            content_hash: loose.content_hash,
            key: loose.key,
            channel,
        })
    }

    /// The request as `person` makes it, whose hand it could be.
    pub fn by(self, person: &PersonId, hand: Hand) -> DecisionRequest {
        DecisionRequest {
            idempotency_key: self.key,
            person: person.clone(),
            channel: self.channel.to_owned(),
            hand,
            recommendation_id: self.recommendation,
            content_hash: self.content_hash,
            verb: self.verb,
        }
    }
}

fn verb(loose: &Loose, proposed: Option<&Candidate>) -> Result<Verb, Unclear> {
    let none = || Unclear::Verb(loose.verb.clone());
    let note = || loose.note.clone();
    match DecisionVerb::asked(&loose.verb).ok_or_else(none)? {
        DecisionVerb::Approve => Ok(Verb::Approve),
        DecisionVerb::Undo => Ok(Verb::Undo),
        DecisionVerb::Reject => {
            let reason = RejectReason::coded(&loose.reason).ok_or_else(|| Unclear::Reason(loose.reason.clone()))?;
            Ok(Verb::Reject { reason, note: note() })
        }
        DecisionVerb::Snooze => Ok(Verb::Snooze { until: day("until", &loose.until)?, wake: wake(loose)? }),
        DecisionVerb::Forward if loose.to.trim().is_empty() => Err(Unclear::Nobody),
        DecisionVerb::Forward => Ok(Verb::Forward { to: PersonId::new(loose.to.trim()), note: note() }),
        DecisionVerb::Return => Ok(Verb::Return { note: note() }),
        DecisionVerb::Merge => match loose.into.trim() {
            id if is_id(id) => Ok(Verb::Merge { into: CaseId::new(id) }),
            id => Err(Unclear::Case(id.to_owned())),
        },
        DecisionVerb::Edit => {
            let proposed = proposed.ok_or_else(none)?;
            let quantity = loose.quantity.as_deref().map(quantity).transpose()?;
            let date = loose.date.as_deref().map(|text| day("date", text)).transpose()?;
            // A proposal of one step shows no field for it.
            let typed = loose.step.trim();
            let number = if typed.is_empty() { Some(1) } else { typed.parse().ok() };
            let step = number.and_then(|number| proposed.step(number));
            let step = step.ok_or_else(|| Unclear::Step(typed.to_owned(), proposed.step_count()))?;
            Ok(Verb::Edit { step: step.number, action: Box::new(action_with(step.action, quantity, date)) })
        }
        // Under this a click on a drill is kept. Nobody asks for it.
        DecisionVerb::Drill => Err(none()),
    }
}

fn quantity(text: &str) -> Result<Quantity, Unclear> {
    let number = text.trim().parse::<Decimal>().ok().filter(|_| text.trim().len() <= QUANTITY_MAX);
    number.map(|number| Quantity(number.normalize())).ok_or_else(|| Unclear::Quantity(text.trim().to_owned()))
}

fn day(field: &'static str, text: &str) -> Result<Date, Unclear> {
    text.trim().parse().map_err(|_| Unclear::Day { field, text: text.to_owned() })
}

/// What ends a snooze early.
fn wake(loose: &Loose) -> Result<WakeCondition, Unclear> {
    match loose.wake.as_str() {
        "" | "grew" => Ok(WakeCondition::Grew),
        "stage" => Ok(WakeCondition::StageChanged),
        "above" => {
            // Sums are copied from a card, where commas part the thousands.
            let amount = loose.above.trim().replace(',', "").parse::<Decimal>();
            let value = amount.ok().filter(|amount| !amount.is_sign_negative()).map(Money::from_decimal);
            Ok(WakeCondition::ValueAbove { value: value.ok_or_else(|| Unclear::Above(loose.above.clone()))? })
        }
        other => Err(Unclear::Wake(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::action::{Action, MoneySum, Range, Step};
    use crate::domain::ids::{ItemId, LocationId};

    /// Two donors, and one place that both fill.
    fn plan() -> Candidate {
        let transfer = |from: &str| Action::Transfer {
            item: ItemId::new("7"),
            from: LocationId::new(from),
            to: LocationId::new("2"),
            quantity: Quantity::units(48),
            ship_on: "2026-10-09".parse().unwrap(),
        };
        Candidate {
            id: "A1".to_owned(),
            action: transfer("1"),
            summary: String::new(),
            money: MoneySum::nothing(1.0, Range::default()),
            value: Money::ZERO,
            latest_date: "2026-10-09".parse().unwrap(),
            checks: vec![],
            cites: vec![],
            then: vec![Step { action: transfer("3"), summary: String::new(), checks: vec![] }],
        }
    }

    /// Fields that are enough for every verb.
    fn whole(verb: DecisionVerb) -> Loose {
        Loose {
            recommendation: "r-1".to_owned(),
            content_hash: "h1".to_owned(),
            key: "k1".to_owned(),
            verb: verb.name().to_owned(),
            step: " 2 ".to_owned(),
            quantity: Some(" 12.50 ".to_owned()),
            date: Some("2026-10-11".to_owned()),
            reason: "not-real".to_owned(),
            note: "as agreed".to_owned(),
            until: " 2026-10-31".to_owned(),
            wake: "above".to_owned(),
            above: "1,234.50".to_owned(),
            to: " fay ".to_owned(),
            into: " c-2 ".to_owned(),
        }
    }

    fn read(loose: Loose) -> Result<Verb, Unclear> {
        Ask::parse(loose, "web", Some(&plan())).map(|ask| ask.verb)
    }

    #[test]
    fn every_verb_is_read_from_its_fields_and_keeps_target_content_and_key() {
        for verb in DecisionVerb::ASKED {
            let ask = Ask::parse(whole(verb), "api", Some(&plan())).unwrap();
            assert_eq!(ask.verb.kind(), verb);
            let request = ask.by(&PersonId::new("ari"), Hand::Own);
            let on = (request.recommendation_id.as_str(), &*request.content_hash, &*request.idempotency_key);
            assert_eq!((on, &*request.channel, request.person.as_str()), (("r-1", "h1", "k1"), "api", "ari"));
        }
        let until = "2026-10-31".parse().unwrap();
        let wake = WakeCondition::ValueAbove { value: Money::from_minor(123_450) };
        assert_eq!(read(whole(DecisionVerb::Snooze)), Ok(Verb::Snooze { until, wake }));
        assert_eq!(read(whole(DecisionVerb::Merge)), Ok(Verb::Merge { into: CaseId::new("c-2") }));
        let Ok(Verb::Edit { step, action }) = read(whole(DecisionVerb::Edit)) else { panic!("an edit") };
        assert_eq!((step, action.quantity().unwrap().0.to_string()), (2, "12.5".to_owned()));
        assert!(matches!(*action, Action::Transfer { from, .. } if from.as_str() == "3"), "of that step's donor");
        let Ok(Verb::Edit { step, .. }) = read(Loose { step: String::new(), ..whole(DecisionVerb::Edit) }) else { panic!() };
        assert_eq!(step, 1, "the first where none is named");
    }

    #[test]
    fn what_can_not_be_read_is_named_by_its_field() {
        use DecisionVerb::{Edit, Forward, Merge, Reject, Snooze};
        let none = String::new;
        for (loose, unclear) in [
            (Loose { reason: none(), ..whole(Reject) }, Unclear::Reason(none())),
            (Loose { until: none(), ..whole(Snooze) }, Unclear::Day { field: "until", text: none() }),
            (Loose { wake: "soon".into(), ..whole(Snooze) }, Unclear::Wake("soon".into())),
            (Loose { above: "-1".into(), ..whole(Snooze) }, Unclear::Above("-1".into())),
            (Loose { to: " ".into(), ..whole(Forward) }, Unclear::Nobody),
            (Loose { into: "c 2".into(), ..whole(Merge) }, Unclear::Case("c 2".into())),
            (Loose { step: "3".into(), ..whole(Edit) }, Unclear::Step("3".into(), 2)),
            (Loose { step: "one".into(), ..whole(Edit) }, Unclear::Step("one".into(), 2)),
            (Loose { quantity: Some("many".into()), ..whole(Edit) }, Unclear::Quantity("many".into())),
            (Loose { quantity: Some("1".repeat(31)), ..whole(Edit) }, Unclear::Quantity("1".repeat(31))),
            (Loose { date: Some("soon".into()), ..whole(Edit) }, Unclear::Day { field: "date", text: "soon".into() }),
            (whole(DecisionVerb::Drill), Unclear::Verb("drill".into())),
        ] {
            assert_eq!(read(loose), Err(unclear));
        }
        let several = Ask::parse(whole(Edit), "web", None);
        assert_eq!(several, Err(Unclear::Verb("edit".into())), "several are not edited at once");
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_becomes_another_verb_than_its_own(
            verb in "approve|edit|reject|snooze|forward|return|merge|undo|drill|\\PC*", typed in "\\PC*",
        ) {
            let loose = Loose {
                verb: verb.clone(),
                quantity: Some(typed.clone()),
                until: typed.clone(),
                reason: typed.clone(),
                above: typed.clone(),
                to: typed.clone(),
                into: typed,
                ..Loose::default()
            };
            if let Ok(read) = read(loose) {
                prop_assert_eq!(read.kind().name(), verb);
            }
        }
    }
}
