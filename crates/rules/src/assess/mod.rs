//! Assess: from a case to what it costs and what could be done, every figure with its facts.
//!
//! Pure computation on one [`Scene`]: no store, no clock, no randomness, so the same scene gives the same candidates byte
//! for byte. Each family of exceptions has a file that lays out facts, counts losses by part and proposes actions; this file
//! sends exceptions to them and puts the result together. Nothing here chooses words beyond one sentence per action.
//!
//! - `gathered`: facts, parts of the loss, proposals;
//! - `frozen`: what the figures were computed from, for whoever computes them again;
//! - `projection`: stock in the days to come;
//! - `act`: the actions, one file for each: what is proposed, and its checks;
//! - `checks`: hard and soft checks, the same ones that run again at the queue and at the click;
//! - `plans`: steps that are one thing to decide;
//! - `effect`: what changes do to stock, receipts and demand;
//! - `doubled`: how far a doubled receipt still asks for anything;
//! - `working`: on which days goods leave and arrive;
//! - `rank`: net benefit, order, lane, slack, abstention.

mod act;
mod adjusted;
mod announced;
mod bills;
mod channel;
mod checks;
mod counted;
mod doubled;
mod duplicate;
mod effect;
mod feed;
mod frozen;
mod fulfil;
mod gathered;
mod idle;
mod level;
mod losses;
mod lots;
mod matching;
mod next_order;
mod ordered;
mod over;
mod plans;
mod policy;
mod projection;
mod ranges;
mod rank;
mod received_twice;
mod receiving;
mod shortage;
mod shortage_facts;
mod stock;
mod subject;
mod supply;
mod surplus;
#[cfg(test)]
mod tests;
mod three_way;
mod transfer;
mod unmatched;
mod working;

use std::collections::{BTreeMap, BTreeSet};

use crate::detect::feed::is_feed;
use crate::detect::habits;
use crate::message;
use crate::scene::Scene;
use reeve_domain::action::{Action, Candidate, Check, Range};
use reeve_domain::book::{Book, Place};
use reeve_domain::case::Rank;
use reeve_domain::evidence::{Fact, FactValue, Missing};
use reeve_domain::exception::{Exception, ExceptionType};
use reeve_domain::ids::{FactId, ItemId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{MoveKind, PurchaseLine, RecordKind, RecordRef};
use reeve_domain::workings::{Made, Odds, Workings};
use reeve_models::formulas;

pub(crate) use act::adjust_stock::{counts_behind, follows as posts_counts};
pub(crate) use rank::is_dated;
pub(crate) use three_way::not_owed;

use gathered::{Gathered, place_of, places_of};
use shortage::Need;
use subject::in_order;

/// One part of the loss: a lost unit, a claim or a held euro is in exactly one.
#[derive(Clone, Debug, PartialEq)]
pub struct LossPart {
    /// What is lost, for people.
    pub what: String,
    /// How much, if nothing is done.
    pub amount: Range,
    /// The facts it comes from.
    pub cites: Vec<FactId>,
    /// How the amount is made; none where it is certain.
    pub made: Option<Made>,
}

/// What a case costs and what could be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Everything that figures rest on; ids are unique.
    pub facts: Vec<Fact>,
    /// What was needed and is not there.
    pub missing: Vec<Missing>,
    /// Legal actions, `A1` first, in order of expected net benefit; doing nothing is always among them.
    pub candidates: Vec<Candidate>,
    /// Why no action is suggested; then ESCALATE, which is among the candidates, goes first.
    pub abstain: Option<String>,
    /// The case's ranking figures.
    pub rank: Rank,
    /// How L₀ is made.
    pub loss_sum: Vec<LossPart>,
    /// What every figure was computed from.
    pub workings: Workings,
}

/// Recommendations shown for a case at most: more are not read.
pub const RECOMMENDATIONS: usize = 6;

/// Assesses a case.
pub fn assess(scene: &Scene<'_>) -> Assessment {
    let mut gathered = Gathered::new(scene);
    let p = probability(scene);
    let p_cite = gathered.fact(lead_record(scene), "p_real", "probability that it is real", FactValue::number(p, 4));
    gather(&mut gathered);
    surplus::retain_at_stake(&mut gathered);
    // Two exceptions of a case may ask for the same thing: it is proposed once.
    let mut proposals = rank::merged(std::mem::take(&mut gathered.proposals));
    plans::join(&mut gathered, p, &mut proposals);
    // What waiting does to an action, and what it changes, is read off the proposal: a candidate has only its sum.
    let mut ages = rank::ages(&gathered, p, &proposals);
    let mut effects = frozen::effects(&gathered, &mut proposals);
    let mut candidates: Vec<Candidate> =
        proposals.into_iter().filter_map(|proposal| rank::candidate(&gathered, p, &p_cite, proposal)).collect();
    rank::order(&mut candidates);
    // Whether to abstain is judged on what could be done, and decides which idle answers there are: so these come after it.
    let abstain = rank::abstention(&gathered, p, &candidates);
    let mut idle = idle::actions(&gathered, &candidates, &ages, abstain.as_deref());
    ages.extend(rank::ages(&gathered, p, &idle));
    effects.extend(frozen::effects(&gathered, &mut idle));
    candidates.extend(idle.into_iter().filter_map(|proposal| rank::candidate(&gathered, p, &p_cite, proposal)));
    rank::order(&mut candidates);
    freeze_documents(&mut gathered, &candidates);
    let rank = rank::rank(scene, p, rank::loss_now(&gathered).expected, &candidates, &ages);
    // Missing is a value: what can not be counted is not worth nothing.
    let rank = Rank { unknown: !gathered.missing.is_empty(), ..rank };
    let workings = frozen::freeze(&mut gathered, &candidates, effects, &ages);
    Assessment {
        facts: gathered.facts.into_values().collect(),
        missing: gathered.missing.into_iter().collect(),
        candidates,
        abstain,
        rank,
        loss_sum: gathered.parts.into_values().filter(|part| part.amount.high > Money::ZERO).collect(),
        workings,
    }
}

/// Puts what letters list of documents among the facts: there their numbers are found when a card is looked through again.
fn freeze_documents(gathered: &mut Gathered<'_>, candidates: &[Candidate]) {
    let book = gathered.scene.book;
    for line in candidates.iter().flat_map(Candidate::actions).flat_map(|action| message::documented(book, action)) {
        let documents = message::documents(book, line);
        if !documents.is_empty() {
            let label = format!("receipts and bills of {}", line.order_name);
            gathered.fact(
                RecordRef::new(RecordKind::PoLine, line.id.clone()),
                "documents",
                &label,
                FactValue::Text(documents),
            );
        }
    }
}

/// Every check of an action on the current book, hard ones first.
pub fn checks_of(scene: &Scene<'_>, action: &Action) -> Vec<Check> {
    checks::of(scene, action)
}

/// The probability that the case is real: that of its most certain exception.
fn probability(scene: &Scene<'_>) -> f64 {
    odds(scene).iter().map(p_of).fold(0.0, f64::max).clamp(0.0, 1.0)
}

/// What each exception says of it. That a shortage could be helped from elsewhere says nothing about whether it comes.
fn odds(scene: &Scene<'_>) -> Vec<Odds> {
    use ExceptionType as T;
    let short = scene.exceptions.iter().any(|e| matches!(e.signal.code, T::ILow | T::IOut));
    let tells = |e: &&Exception| !(short && e.signal.code == T::IImbal);
    let odds = |e: &Exception| Odds {
        code: e.signal.code.code().to_owned(),
        said: e.signal.score,
        ruled: !e.signal.is_made_by(habits::DETECTOR),
        learnt: scene.p.get(&e.signal.code).copied().unwrap_or_else(|| e.signal.code.prior()),
        prior: e.signal.code.prior(),
        habit: habits::probability_of(&e.signal),
        by: e.signal.habit.as_deref().map(frozen::habit_key),
        left: doubled::still_real(scene, e),
    };
    scene.exceptions.iter().filter(tells).map(odds).collect()
}

/// What people decided corrects the prior; what a detector says has a probability of its own, which is corrected alike.
fn p_of(odds: &Odds) -> f64 {
    use ExceptionType as T;
    let &Odds { said, ruled, learnt, prior, habit, left, .. } = odds;
    let p = match (odds.code.parse(), habit) {
        (Ok(T::ILow), _) => formulas::low_stock_p(said, learnt, prior),
        // A duplicate's score says what speaks against it: equal bills may both be owed.
        (Ok(T::FDupBill), _) => learnt * said,
        (_, Some(habit)) => formulas::habit_p(habit, learnt, prior, ruled),
        _ => learnt,
    };
    p * left
}

/// The record a case-wide fact is kept under.
fn lead_record(scene: &Scene<'_>) -> RecordRef {
    let subject = &scene.case.subject;
    let cited = || scene.exceptions.iter().flat_map(|e| &e.signal.facts).map(|f| f.source.clone()).next();
    if let Some(line) = &subject.po_line {
        return RecordRef::new(RecordKind::PoLine, line.clone());
    }
    if let Some(item) = &subject.item {
        return RecordRef::new(RecordKind::Item, item.as_str());
    }
    cited().unwrap_or_else(|| match (&subject.supplier, &subject.location) {
        (Some(supplier), _) => RecordRef::new(RecordKind::Supplier, supplier.as_str()),
        (None, Some(location)) => RecordRef::new(RecordKind::Location, location.as_str()),
        (None, None) => RecordRef::new(RecordKind::Location, "unknown"),
    })
}

/// The purchase lines an exception is about.
fn lines_of<'b>(scene: &Scene<'b>, exception: &Exception) -> Vec<&'b PurchaseLine> {
    let subject = &exception.signal.subject;
    match (&subject.po_line, &subject.order) {
        (Some(line), _) => scene.book.po_lines.get(line).into_iter().collect(),
        (None, Some(order)) => scene.book.lines_of_order(order),
        (None, None) => Vec::new(),
    }
}

/// The places where the case may mean too little stock, and how far. A place that is looked at for two reasons is looked at
/// without a cap if one of them has none.
fn needs(scene: &Scene<'_>) -> BTreeMap<Place, Need> {
    use ExceptionType as T;
    let book = scene.book;
    // A cap is what a supplier owes: a place that is short for another reason, too, may miss more than that.
    let mut needs: BTreeMap<Place, Need> = BTreeMap::new();
    let mut add = |place: Place, cap: Option<f64>, reorder: bool| {
        needs
            .entry(place)
            .and_modify(|n| {
                n.cap = n.cap.zip(cap).map(|(a, b)| a.max(b));
                n.reorder |= reorder;
            })
            .or_insert(Need { cap, reorder });
    };
    for exception in scene.exceptions {
        match exception.signal.code {
            T::ILow | T::IOut | T::IImbal | T::DSpike | T::DPromoOver | T::DBulk => {
                for place in places_of(scene, exception) {
                    add(place, None, true);
                }
            }
            T::DShift => {
                if let Some(place) = place_of(exception) {
                    // A level that fell leaves too much, not too little: `surplus` has it.
                    let (before, since) = surplus::level_change(book, exception, &place);
                    if since > before {
                        add(place, None, true);
                    }
                }
            }
            T::RShort | T::SOverdue | T::RLate => {
                for line in lines_of(scene, exception) {
                    // Late goods that are all here are no shortage any more; a short delivery is one before its day, too.
                    let owed = receiving::owed(book, line);
                    let open = receiving::overdue(book, line) || exception.signal.code == T::RShort;
                    if owed > 0.0 && open {
                        for (place, owed) in places_served(book, line, owed) {
                            add(place, Some(owed), false);
                        }
                    }
                }
            }
            T::SDelay => {
                for line in lines_of(scene, exception) {
                    let open = book.open_quantity(&line.id).to_f64();
                    if open > 0.0 {
                        for (place, open) in places_served(book, line, open) {
                            add(place, Some(open), false);
                        }
                    }
                }
            }
            // What is on its way between two places is missed where it should arrive.
            T::TLate => {
                if let Some((passage, to)) = transfer::passage_of(scene, exception).and_then(|p| Some((p.clone(), p.to?))) {
                    add((passage.item, to), Some(passage.qty.to_f64()), false);
                }
            }
            T::RDamage => {
                for line in lines_of(scene, exception) {
                    // What went back damaged is missed as if it had never come.
                    let back = book.away(&line.id).to_f64();
                    if back > 0.0 {
                        for (place, back) in places_served(book, line, back) {
                            add(place, Some(back), false);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    needs
}

/// The places that so many units of a line serve, each with its units: of a kit its components', of goods that go straight to a
/// customer none.
fn places_served(book: &Book, line: &PurchaseLine, units: f64) -> Vec<(Place, f64)> {
    if line.to_customer {
        return Vec::new();
    }
    let components = book.components(&line.id);
    if components.is_empty() {
        return vec![((line.item.clone(), line.location.clone()), units)];
    }
    let at = |item: &ItemId| (item.clone(), line.location.clone());
    components.into_iter().map(|(item, per)| (at(item), units * Quantity(per).to_f64())).collect()
}

/// Sends every exception to the file of its family.
fn gather(gathered: &mut Gathered<'_>) {
    use ExceptionType as T;
    let scene = gathered.scene;
    let needs = needs(scene);
    // Parts of the loss first: a question may leave only a share of what is counted by then.
    for (place, need) in &needs {
        shortage::assess(gathered, place, *need);
    }
    // A bill is blocked and a supplier claimed on once for all that is disputed, so disputes are gathered over the exceptions.
    let mut disputes = matching::Disputes::default();
    for exception in in_order(scene) {
        let subject = &exception.signal.subject;
        match exception.signal.code {
            // The shortage is all there is to them. What the bill check counts of a doubled bill is known when all else is
            // gathered: it comes last.
            T::ILow | T::IOut | T::IImbal | T::SDelay | T::FDupBill | T::DCannibal => {}
            T::DPromoOver => act::promo_change::ends_before_it_is_out(gathered, exception),
            T::DSpike => {
                if let Some(place) = place_of(exception) {
                    act::mark_event::marks(gathered, exception, &place);
                }
            }
            T::DShift if place_of(exception).is_some_and(|place| needs.contains_key(&place)) => {
                if let Some(place) = place_of(exception) {
                    level::assess(gathered, exception, &place);
                }
            }
            T::DShift | T::DCollapse => {
                if let Some(place) = place_of(exception).filter(|p| !needs.contains_key(p)) {
                    surplus::assess(gathered, exception, &place, false);
                    let on_hand = scene.book.on_shelf(&place.0, &place.1);
                    if exception.signal.code == T::DCollapse && on_hand.is_positive() {
                        // A collapse with stock in the books may be a ghost: counting finds it.
                        stock::phantom(gathered, exception, stock::GHOST_SHARE);
                    }
                }
            }
            // A promotion that sells too little leaves its stock, whatever else is said of the place.
            T::DPromoUnder => {
                for place in places_of(scene, exception) {
                    surplus::assess(gathered, exception, &place, true);
                }
                act::promo_change::ends_for_nothing(gathered, exception);
            }
            T::DReturn => stock::spoiled(gathered, exception, MoveKind::CustomerReturn),
            T::IScrap => stock::spoiled(gathered, exception, MoveKind::Scrap),
            T::DData if is_feed(&exception.signal) => feed::assess(gathered, exception),
            T::DData => stock::doubled_order(gathered, exception),
            T::RShort | T::ROver | T::RLate | T::REarly | T::RUom | T::RDup | T::RUnplanned | T::RSubst | T::RDamage => {
                receiving::assess(gathered, exception, &mut disputes);
            }
            T::FQty | T::FPrice => {
                if let Some(line) = &subject.po_line {
                    // Without a bill it is the order's own price that is above the list: nothing is owed for it yet.
                    match (exception.signal.code, &subject.bill) {
                        (T::FQty, _) => disputes.add(gathered, line, true, false),
                        (_, Some(_)) => disputes.add(gathered, line, false, true),
                        (_, None) => ordered::above_the_list(gathered, line),
                    }
                }
            }
            T::ICount => stock::count(gathered, exception),
            T::IShrink => stock::shrink(gathered, exception),
            T::INeg => stock::negative(gathered, exception),
            T::IPhantom => stock::phantom(gathered, exception, 1.0),
            T::RAsn => announced::mismatch(gathered, exception, &mut disputes),
            T::SUnconf => announced::unconfirmed(gathered, exception),
            T::OOversell | T::OSync => channel::assess(gathered, exception),
            T::TLate => transfer::assess(gathered, exception),
            T::SOverdue => supply::overdue_order(gathered, exception),
            T::SLtShift => supply::lead_time_shift(gathered, exception),
            T::MMaster => supply::master_data(gathered, exception),
            T::RLot => lots::faulty(gathered, exception),
            T::IStale => lots::stale(gathered, exception),
            T::FUnmatched => unmatched::bill(gathered, exception),
            T::FUnbilled => unmatched::unbilled(gathered, exception),
            T::IOver | T::DEol => over::assess(gathered, exception),
            T::DBulk => fulfil::bulk(gathered, exception),
            T::DCensored => supply::censored(gathered, exception),
            T::FCost => supply::cost_variance(gathered, exception),
            T::SSingle => supply::single_source(gathered, exception),
            T::SParam => policy::parameter(gathered, exception),
            T::SMoq => policy::minimum(gathered, exception),
            T::SOtif => supply::performance(gathered, exception),
            T::OLate => fulfil::late(gathered, exception),
            T::OShortPick => fulfil::short_pick(gathered, exception),
            T::IReserve => fulfil::reserved(gathered, exception),
            T::TDiff => adjusted::transfer_difference(gathered, exception),
            T::IAdj => adjusted::adjustment(gathered, exception),
        }
    }
    // What the bill check counts of a doubled bill is known only now; the rest of it is the doubled bill's own loss.
    for exception in scene.exceptions.iter().filter(|e| e.signal.code == T::FDupBill) {
        duplicate::assess(gathered, exception);
    }
    disputes.act(gathered);
}

/// The fact ids an assessment holds.
impl Assessment {
    /// The ids of all facts.
    pub fn fact_ids(&self) -> BTreeSet<&FactId> {
        self.facts.iter().map(|f| &f.id).collect()
    }
}
