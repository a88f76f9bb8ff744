//! The only place where the inside is wired: settings, store, ports and clock become stages, queue and page.

mod charts;
mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use crate::approve::Approvals;
use crate::approve::admit::Queue;
use crate::channels::ChannelState;
use crate::channels::hooks::Hooks;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::{Action, Check};
use crate::domain::book::{Book, Place};
use crate::domain::case::Case;
use crate::domain::exception::{Exception, Signal};
use crate::domain::ids::PersonId;
use crate::domain::money::Quantity;
use crate::domain::policy::Facts;
use crate::domain::recommendation::Recommendation;
use crate::domain::record::{MoveKind, StockMove};
use crate::pipeline::anchors::Anchoring;
use crate::pipeline::deliver::Deliver;
use crate::pipeline::desk::{Desk, Laid};
use crate::pipeline::detect::Detect;
use crate::pipeline::draft::{Drafting, Promises};
use crate::pipeline::noise::{NoiseControl, propose, weight};
use crate::pipeline::notify::Notify;
use crate::pipeline::observe::Observe;
use crate::pipeline::recheck::Recheck;
use crate::pipeline::understand::Understand;
use crate::pipeline::verify::Verify;
use crate::pipeline::{Context, Stage};
use crate::ports::Ports;
use crate::reports::kpi::Figures;
use crate::rules::recheck::{moved, recheck};
use crate::rules::scene::Scene;
use crate::rules::scene::open_exceptions;
use crate::store::Store;
use crate::worker;

/// The whole of Reeve on one store.
#[derive(Clone)]
pub struct App {
    /// What every stage has at hand.
    pub context: Context,
    /// The approval queue.
    pub approvals: Arc<Approvals>,
}

impl App {
    /// Wires an App.
    pub fn new(config: Arc<Config>, store: Store, ports: Ports, clock: Clock) -> Self {
        let desk = Arc::new(Desk::new(store.clone(), Arc::clone(&config), clock.clone()));
        let context = Context { store, config, ports, clock, desk, hint: Arc::default() };
        let approvals = Arc::new(Approvals {
            store: context.store.clone(),
            config: Arc::clone(&context.config),
            clock: context.clock.clone(),
            recheck: Arc::new(OnTheDesk(context.clone())),
        });
        Self { context, approvals }
    }

    /// The stages, in the order in which an exception meets them.
    pub fn stages(&self) -> Vec<Box<dyn Stage>> {
        let context = || self.context.clone();
        vec![
            Box::new(Observe::new(context())),
            Box::new(Understand::new(context())),
            Box::new(Detect(context())),
            Box::new(Drafting(context())),
            Box::new(Queue(Arc::clone(&self.approvals))),
            Box::new(Notify(context())),
            Box::new(Anchoring(context())),
            Box::new(NoiseControl {
                store: self.context.store.clone(),
                config: Arc::clone(&self.context.config),
                clock: self.context.clock.clone(),
                recheck: Arc::clone(&self.approvals.recheck),
            }),
            Box::new(Deliver {
                store: self.context.store.clone(),
                config: Arc::clone(&self.context.config),
                clock: self.context.clock.clone(),
                sender: self.context.ports.webhook.clone(),
            }),
            Box::new(Verify(context())),
        ]
    }

    /// What the page needs.
    pub fn web(&self) -> ChannelState {
        ChannelState {
            store: self.context.store.clone(),
            config: Arc::clone(&self.context.config),
            clock: self.context.clock.clone(),
            approvals: self.approvals.as_ref().clone(),
            figures: Arc::new(Figures::new(
                self.context.store.clone(),
                Arc::clone(&self.context.config),
                self.context.clock.clone(),
                Arc::clone(&self.context.desk),
            )),
            charts: Arc::new(charts::Charts(Arc::clone(&self.context.desk))),
            hooks: Arc::new(Hooks::new(&self.context.config, Arc::clone(&self.context.hint))),
        }
    }

    /// Runs every stage until there is nothing left to do at the clock's time.
    ///
    /// # Errors
    /// The first stage that failed, and why.
    pub async fn run_until_idle(&self) -> anyhow::Result<()> {
        worker::run_until_idle(&self.stages(), &self.context.store, &self.context.clock).await
    }
}

/// Hard checks against the book of this moment.
struct OnTheDesk(Context);

#[async_trait]
impl Recheck for OnTheDesk {
    async fn recheck(&self, case: &Case, action: &Action) -> anyhow::Result<Vec<Check>> {
        if !action.is_for_the_outside() {
            let Context { store, config, clock, .. } = &self.0;
            return propose::checks(store, config, clock, action).await;
        }
        let scene = self.scene(case).await?;
        let promised = Promises::firm(&self.0.store).await?.to_others(&case.id);
        Ok(recheck(&scene.view(case, &promised, &self.0.config), action))
    }

    async fn moved(&self, case: &Case, recommendation: &Recommendation) -> anyhow::Result<Vec<String>> {
        // Its facts are decisions: no record moves them, and its checks look at them again.
        if !recommendation.candidate.action.is_for_the_outside() {
            return Ok(Vec::new());
        }
        let Context { store, config, .. } = &self.0;
        let frozen = store.get_bundle(&case.id, &recommendation.evidence_hash).await?;
        let scene = self.scene(case).await?;
        let firm = Promises::firm(store).await?.to_others(&case.id);
        let proposed = Promises::proposed(store).await?.to_others(&case.id);
        let views = [scene.view(case, &firm, config), scene.view(case, &proposed, config)];
        Ok(moved(&views, &scene.laid.seen.signals, &frozen, recommendation))
    }

    async fn facts(&self, case: &Case, action: &Action) -> anyhow::Result<Facts> {
        if !action.is_for_the_outside() {
            return Ok(weight::facts_of(&self.0.store, action).await?);
        }
        Ok(facts::of(self.0.desk.lay_out().await?.as_ref(), case, action))
    }

    async fn concerned(&self, case: &Case) -> anyhow::Result<Vec<PersonId>> {
        let Context { store, config, desk, .. } = &self.0;
        let laid = desk.lay_out().await?;
        let exceptions = store.list_case_exceptions(&case.id).await?;
        let hands = entered_by(&laid.book, case, &exceptions);
        let people = config.people.iter().filter(|p| hands.contains(p.erp_user.as_str()));
        Ok(people.map(|p| p.id.clone()).collect())
    }
}

/// What a case is judged on at this moment, owned.
struct AtTheDesk {
    laid: Arc<Laid>,
    exceptions: Vec<Exception>,
    claimed: BTreeMap<String, String>,
}

impl AtTheDesk {
    fn view<'v>(&'v self, case: &'v Case, promised: &'v BTreeMap<Place, Quantity>, config: &'v Config) -> Scene<'v> {
        let Laid { book, seen, p, .. } = self.laid.as_ref();
        let (exceptions, claimed) = (self.exceptions.as_slice(), &self.claimed);
        Scene { case, exceptions, book, outlook: &seen.outlook, p, claimed, promised, settings: &config.rules }
    }
}

impl OnTheDesk {
    async fn scene(&self, case: &Case) -> anyhow::Result<AtTheDesk> {
        let Context { store, desk, .. } = &self.0;
        let laid = desk.lay_out().await?;
        let exceptions = open_exceptions(store.list_case_exceptions(&case.id).await?, case);
        let claimed = store.list_claims().await?;
        Ok(AtTheDesk { laid, exceptions, claimed })
    }
}

/// The ERP's user ids of those whose own count, receipt or other document a case is about. The recording and Odoo say of a
/// bill only when it was entered, so whoever entered one is not known.
fn entered_by<'b>(book: &'b Book, case: &Case, exceptions: &[Exception]) -> BTreeSet<&'b str> {
    let mut hands = BTreeSet::new();
    let subjects = exceptions.iter().map(|e| &e.signal.subject).chain([&case.subject]);
    for subject in subjects {
        let own_document = |m: &StockMove| subject.document.as_ref().is_some_and(|d| *d == m.document);
        let own_line =
            |m: &StockMove| m.kind == MoveKind::Receipt && subject.po_line.is_some() && m.po_line == subject.po_line;
        hands.extend(book.moves.values().filter(|m| own_document(m) || own_line(m)).filter_map(|m| m.entered_by.as_deref()));
    }
    for exception in exceptions {
        let Signal { subject, from, to, .. } = &exception.signal;
        let (Some(item), Some(location)) = (&subject.item, &subject.location) else { continue };
        let counts = book.moves_at(item, location).into_iter().filter(|m| m.kind == MoveKind::Count);
        let seen = counts.filter(|m| (*from..=*to).contains(&book.calendar.day_of(m.done_at.unwrap_or(m.created_at))));
        hands.extend(seen.filter_map(|m| m.entered_by.as_deref()));
    }
    // Nobody's is nobody's: an empty id must not match people without one.
    hands.remove("");
    hands
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::case::CaseState;
    use crate::domain::exception::Subject;
    use crate::domain::ids::{CaseId, ItemId, LocationId};
    use crate::domain::record::Record;

    const NOON: &str = "2026-10-08T12:00:00Z";

    fn moved(id: &str, kind: MoveKind, document: &str, line: Option<&str>, who: &str) -> StockMove {
        let at: Timestamp = NOON.parse().unwrap();
        StockMove {
            id: id.to_owned(),
            kind,
            item: ItemId::new("1"),
            from: None,
            to: Some(LocationId::new("2")),
            qty: Quantity::units(1),
            created_at: at,
            scheduled_at: None,
            done_at: Some(at),
            document: document.to_owned(),
            document_id: None,
            origin: String::new(),
            po_line: line.map(str::to_owned),
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: Some(who.to_owned()),
            reason: String::new(),
        }
    }

    #[test]
    fn a_case_concerns_whoever_received_or_wrote_what_it_is_about_and_nobody_else() {
        let calendar = Config::load_from(None, &[]).unwrap().rules.calendar.calendar();
        let moves = [
            moved("1", MoveKind::Receipt, "IN/1", Some("10"), "receiver"),
            moved("2", MoveKind::Receipt, "IN/2", Some("11"), "other receiver"),
            moved("3", MoveKind::Scrap, "SP/1", None, "writer"),
            moved("4", MoveKind::Delivery, "OUT/1", Some("10"), "deliverer"),
            moved("5", MoveKind::Receipt, "SP/1", None, ""),
        ];
        let book = Book::new(NOON.parse().unwrap(), calendar, moves.map(Record::Move));
        let about = |subject: Subject| Case {
            id: CaseId::new("case-1"),
            version: 1,
            state: CaseState::Open,
            exceptions: vec![],
            codes: vec![],
            subject,
            links: vec![],
            headline: String::new(),
            rank: None,
            evidence_hash: None,
            owner: None,
            opened_at: NOON.parse().unwrap(),
            updated_at: NOON.parse().unwrap(),
        };
        let line = about(Subject { po_line: Some("10".into()), ..Subject::default() });
        assert_eq!(entered_by(&book, &line, &[]), BTreeSet::from(["receiver"]));
        let document = about(Subject { document: Some("SP/1".into()), ..Subject::default() });
        assert_eq!(entered_by(&book, &document, &[]), BTreeSet::from(["writer"]));
        assert!(entered_by(&book, &about(Subject::default()), &[]).is_empty());
    }
}
