//! Shortages: what is lost while a place has too little (handbook §3.4). What brings more, or brings it sooner, is in
//! `act`.
//!
//! The loss has three parts. `lost:item@loc` is of those who will ask until relief: the first receipt that is enough, or an
//! order placed today, whichever is earlier. `waited:item@loc` is of those who have ordered and wait: they are not lost yet,
//! and few cancel. `unordered:item@loc` is what waiting until the usual next order adds; it counts only where an order is due
//! now (the position is below the reorder point).
//!
//! What arrives on the day of relief or after it saves nothing.

use std::collections::BTreeMap;

use crate::scene::Scene;
use reeve_domain::action::Range;
use reeve_domain::book::Place;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::money::Money;
use reeve_domain::workings::{self, Change, Made};
use reeve_models::formulas;

use super::act;
use super::effect;
use super::frozen;
use super::gathered::{Gathered, Left, plus, range, scaled, units};
use super::losses::{Losses, at_most, beyond};
use super::next_order;
use super::projection::{self, Projection, Shortage};
use super::shortage_facts::{waiting_facts, window_facts};

/// By how much the share of recaptured sales may be off either way (handbook §6 rule 3).
const RECAPTURE_DOUBT: f64 = 0.1;
/// A shortage below this many units is none.
const LEAST_UNITS: f64 = 0.05;

/// Why a place is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Need {
    /// The shortage can not be more than this many units (those a supplier still owes).
    pub cap: Option<f64>,
    /// Is ordering more an answer?
    pub reorder: bool,
}

/// What a shortage at a place costs, as a function of the projection.
#[derive(Clone, Debug)]
pub(super) struct Stake {
    margin: f64,
    recapture: f64,
    /// Share of waiting customers who cancel before they are served.
    cancelled: f64,
    cap: f64,
    until: u32,
    until_sd: f64,
    /// The day on which those who wait are served if nobody does anything.
    served: u32,
    /// The day until which not ordering is counted, where an order is due.
    unordered: Option<u32>,
}

impl Stake {
    /// The stake at a place. None where the book lacks what the money needs.
    pub(super) fn of(scene: &Scene<'_>, now: &Projection, margin: f64, need: Need) -> Self {
        let (book, place) = (scene.book, &now.place);
        let horizon = scene.settings.detect.horizon_days.max(1);
        let supplier = projection::offer(book, place).map(|o| o.supplier.clone());
        let lead = supplier.as_ref().and_then(|s| projection::lead_time(book, place, s));
        // An order placed today ends the window; where it would take longer than the horizon, the horizon does.
        let until = lead.as_ref().map_or(horizon, |l| (l.days.ceil() as u32).clamp(1, horizon));
        let unordered = supplier.as_ref().filter(|_| need.reorder).and_then(|supplier| {
            let levels = projection::levels(scene, place, supplier)?;
            let due = projection::position(book, place) < levels.reorder;
            // The next order is placed by the ERP's minimum and in the shop's rhythm, and comes a lead time later.
            let last = (until + next_order::days_to_next_order(scene, place, supplier)).min(horizon);
            (due && last > until).then_some(last)
        });
        Self {
            margin,
            recapture: scene.settings.money.recapture,
            cancelled: waits_share(scene),
            cap: need.cap.unwrap_or(f64::INFINITY),
            until,
            until_sd: lead.map_or(0.0, |l| l.sd),
            served: now.first_arrival(until),
            unordered,
        }
    }

    /// The stake with the stock and receipts it was taken on, as it is frozen.
    fn frozen(&self, now: &Projection) -> workings::Stake {
        workings::Stake {
            margin: self.margin,
            cap: Some(self.cap).filter(|cap| cap.is_finite()),
            until: self.until,
            until_sd: self.until_sd,
            unordered: self.unordered,
            supply: now.supply,
            waiting: now.waiting,
            cancelled: Some(self.cancelled),
            receipts: frozen::receipts(now),
        }
    }

    /// Days that any of its windows looks at, with late receipts.
    fn days(&self, scene: &Scene<'_>, now: &Projection) -> u32 {
        let last = self.unordered.unwrap_or(0).max(self.until).max(scene.settings.detect.horizon_days);
        let latest = now.arrivals.iter().map(|a| a.sd).fold(self.until_sd, f64::max);
        last + latest.ceil() as u32
    }

    /// Margin lost on those who have not asked yet. Those who wait come first under the cap.
    fn money(&self, now: &Projection, shortage: &Shortage) -> Range {
        let cap = (self.cap - now.waiting).max(0.0);
        let lost =
            |units: f64, recapture: f64| formulas::lost_margin(units.min(cap), self.margin, recapture.clamp(0.0, 1.0));
        range(
            lost(shortage.low, self.recapture + RECAPTURE_DOUBT),
            lost(shortage.units, self.recapture),
            lost(shortage.high, self.recapture - RECAPTURE_DOUBT),
        )
    }

    /// Margin lost on those who wait: as many as cancel, half as many, twice as many.
    fn waited(&self, projection: &Projection) -> Range {
        if projection.waiting <= 0.0 {
            return Range::default();
        }
        // Under a cap (what one supplier still owes) only so many of those who wait do so because of it.
        let capped = (self.cap / projection.waiting).min(1.0);
        let margin = projection.waited(self.served) * capped * self.margin;
        range(margin * self.cancelled / 2.0, margin * self.cancelled, margin * (self.cancelled * 2.0).min(1.0))
    }

    fn first(&self, scene: &Scene<'_>, projection: &Projection) -> Shortage {
        projection.shortage(scene, self.until, self.until_sd)
    }

    fn second(&self, scene: &Scene<'_>, projection: &Projection) -> Option<Shortage> {
        self.unordered.map(|until| projection.shortage(scene, until, 0.0))
    }

    /// What is lost with these stocks and receipts.
    pub(super) fn loss(&self, scene: &Scene<'_>, projection: &Projection) -> Losses {
        let lost = self.money(projection, &self.first(scene, projection));
        let more = self.second(scene, projection).map_or_else(Range::default, |s| beyond(self.money(projection, &s), lost));
        Losses { lost, more, waited: self.waited(projection) }
    }
}

/// Share of waiting customers who cancel, learned from those who waited.
pub(super) fn waits_share(scene: &Scene<'_>) -> f64 {
    let (waits, money) = (scene.book.waits(), &scene.settings.money);
    formulas::cancelled_share(waits.cancelled, waits.all, money.cancelled, money.cancelled_weight)
}

/// What bringing `quantity` of an open line forward to `day` days from today saves, before p. None where the money is
/// unknown.
pub(super) fn saved_by_expediting(
    scene: &Scene<'_>,
    place: &Place,
    need: Need,
    po_line: &str,
    quantity: f64,
    day: u32,
) -> Option<f64> {
    let margin = scene.book.margin(&place.0, &place.1)?.to_f64().max(0.0);
    let now = Projection::now(scene, place);
    let stake = Stake::of(scene, &now, margin, need);
    let before = stake.loss(scene, &now).all();
    let after = stake.loss(scene, &now.with_moved(po_line, quantity, day)).all();
    Some((before.expected - after.expected).to_f64())
}

/// What a line's coming `days` later than expected adds to the loss at its place, with the shortage as it is. None where the
/// money is unknown.
pub(super) fn added_by_slip(
    gathered: &mut Gathered<'_>,
    place: &Place,
    po_line: &str,
    days: u32,
) -> Option<(Range, workings::Stake)> {
    let scene = gathered.scene;
    let margin = scene.book.margin(&place.0, &place.1)?.to_f64().max(0.0);
    let now = Projection::now(scene, place);
    let arrival = now.arrivals.iter().find(|a| a.po_line == po_line)?;
    let mut stake = Stake::of(scene, &now, margin, Need { cap: Some(arrival.qty), reorder: false });
    // Nobody orders anew before the promised day has passed: only an order of then ends what a slip costs.
    stake.until = stake.until.max(arrival.day + days.min(stake.until));
    let Losses { lost, .. } = stake.loss(scene, &now);
    let Losses { lost: slipped, .. } = stake.loss(scene, &now.with_moved(po_line, arrival.qty, arrival.day + days));
    frozen::forecast(gathered, place, stake.days(scene, &now));
    Some((beyond(slipped, lost), stake.frozen(&now)))
}

/// The day of relief at a place: what arrives then or later saves nothing (handbook §3.4).
pub(super) fn relief(scene: &Scene<'_>, place: &Place, need: Need) -> u32 {
    let now = Projection::now(scene, place);
    let stake = Stake::of(scene, &now, 0.0, need);
    relief_of(&stake, &stake.first(scene, &now))
}

/// Where somebody will ask in vain, the end of the window that is worst: what comes by then is too little before it and
/// enough after it. Else the day on which those who wait are served.
fn relief_of(stake: &Stake, first: &Shortage) -> u32 {
    if first.units >= LEAST_UNITS { first.days } else { stake.served }
}

/// The keys of the parts at a place: of those who will ask, of not ordering, of those who wait.
pub(super) fn keys(place: &Place) -> [String; 3] {
    ["lost", "unordered", "waited"].map(|part| format!("{part}:{}@{}", place.0, place.1))
}

/// Is a part of the loss a shortage that the projection gives?
pub(super) fn is_projected(made: Option<&Made>) -> bool {
    matches!(made, Some(Made::Lost { .. } | Made::Waiting { .. } | Made::Unordered { .. }))
}

/// One place's stake with everything its actions need.
#[derive(Clone, Debug)]
pub(super) struct Short {
    pub place: Place,
    pub stake: Stake,
    pub now: Projection,
    pub losses: Losses,
    first: Shortage,
    worst: Shortage,
    pub margin: f64,
}

impl Short {
    /// What remains of each part after a change that is decided `wait` days from now, with what it adds to a donor's own loss.
    /// All of it where it then comes too late, or where the change is none of this kind.
    pub(super) fn left(&self, scene: &Scene<'_>, change: &Change, wait: u32, donor: Money) -> Losses {
        let steps = effect::steps(change, &frozen::name(&self.place));
        if !steps.iter().any(|step| step.is_timed() && step.day_after(wait).is_some()) {
            return self.losses;
        }
        let left = self.after_steps(scene, &steps, wait).at_most(self.losses);
        Losses { lost: plus(left.lost, Range::certain(donor)), ..left }
    }

    /// What is lost with steps that are decided `wait` days from now.
    fn after_steps(&self, scene: &Scene<'_>, steps: &[&Change], wait: u32) -> Losses {
        let stock = effect::stock(&self.now, steps, wait);
        let outlook = effect::outlook(scene, &self.place, steps, wait);
        // A promotion that ends sooner changes the demand itself, not the stock.
        let scene = &Scene { outlook: outlook.as_ref().unwrap_or(scene.outlook), ..*scene };
        let mut left = self.stake.loss(scene, &stock);
        for step in steps {
            match step {
                Change::Sooner { refused: Some(refused), .. } => left = left.mixed(self.losses, *refused),
                Change::Asked { left: share, .. } => {
                    if let Some(day) = step.day_after(wait) {
                        left = self.answered(scene, &stock, left, (day, *share));
                    }
                }
                _ => {}
            }
        }
        left
    }

    /// What a change adds to donors' own losses, for this place.
    pub(super) fn donor_risk(&self, scene: &Scene<'_>, change: &Change) -> Money {
        let risk = |step: &&Change| match step {
            Change::Moved { from, quantity, .. } => act::transfer::donor_risk(scene, from, *quantity, self.margin),
            _ => Money::ZERO,
        };
        effect::steps(change, &frozen::name(&self.place)).iter().map(risk).sum()
    }

    /// What remains of `losses` when an answer on day `day` ends the shortage but for a share: what is lost until then is lost.
    fn answered(&self, scene: &Scene<'_>, stock: &Projection, losses: Losses, (day, left): (u32, f64)) -> Losses {
        if day >= relief_of(&self.stake, &self.stake.first(scene, stock)) {
            return losses;
        }
        let until = Stake { until: day, until_sd: 0.0, ..self.stake.clone() }.loss(scene, stock).lost;
        let rest = |all: Range, gone: Range| plus(at_most(gone, all), scaled(beyond(all, gone), left));
        let waited = formulas::waited_share(f64::from(day), f64::from(self.stake.served));
        Losses {
            lost: rest(losses.lost, until),
            more: scaled(losses.more, left),
            waited: rest(losses.waited, scaled(losses.waited, waited)),
        }
    }

    /// The same by key.
    pub(super) fn after(&self, scene: &Scene<'_>, change: &Change) -> BTreeMap<String, Left> {
        self.by_key(self.left(scene, change, 0, self.donor_risk(scene, change)))
    }

    /// Losses by the keys of the parts.
    pub(super) fn by_key(&self, losses: Losses) -> BTreeMap<String, Left> {
        let amounts = [losses.lost, losses.more, losses.waited].map(Left::Amount);
        keys(&self.place).into_iter().zip(amounts).collect()
    }

    /// Days until what is missing comes anyway: what arrives then or later saves nothing.
    pub(super) fn relief(&self) -> u32 {
        relief_of(&self.stake, &self.first)
    }

    /// Days for which a decision can wait whose effect comes on day `lead`, so that it comes before stock has run out.
    pub(super) fn days_to_decide(&self, scene: &Scene<'_>, lead: u32) -> u32 {
        if self.now.is_out() {
            return 0;
        }
        let horizon = self.stake.unordered.unwrap_or(self.stake.until);
        formulas::days_to_decide(self.now.run_out(scene, horizon).unwrap_or(horizon), lead)
    }

    /// Units that are expected to be missing, of those who wait and of those who will ask.
    pub(super) fn missing_in_all(&self) -> f64 {
        self.now.waiting + self.worst.units
    }

    /// Units that somebody will ask for in vain in the window that misses most.
    pub(super) fn missing(&self) -> f64 {
        self.worst.units
    }

    /// Days until which the loss is counted.
    pub(super) fn until(&self) -> u32 {
        self.stake.unordered.unwrap_or(self.stake.until)
    }

    /// Whole units of use that arrive on day `day`: those who wait, and as often as is set (`costs.cover`) what is asked for from then until
    /// relief, beyond what is there. What is asked for before is lost by then.
    pub(super) fn need(&self, scene: &Scene<'_>, day: u32) -> f64 {
        let window = if self.first.units >= LEAST_UNITS { self.first } else { self.worst };
        self.need_in(scene, day, &window)
    }

    /// The same until the next usual order would come, where one is due: of what takes that order's place.
    pub(super) fn need_of_order(&self, scene: &Scene<'_>, day: u32) -> f64 {
        self.need_in(scene, day, &self.worst)
    }

    fn need_in(&self, scene: &Scene<'_>, day: u32, window: &Shortage) -> f64 {
        let (before, sigma_before) = scene.outlook.window(&self.now.place, 0, day.min(window.days));
        // Doubts add in squares: what is left for the rest of the window is the whole less what has passed by then.
        let sigma = (window.sigma.powi(2) - sigma_before.powi(2)).max(0.0).sqrt();
        let free = (window.supply - before).max(0.0);
        let often = formulas::normal_quantile(scene.settings.costs.cover.clamp(0.5, 0.999));
        let asked = (window.mu - before + often * sigma - free).max(0.0);
        (self.now.waiting + asked).min(self.stake.cap.max(1.0)).ceil()
    }
}

/// Assesses one place: its loss and the actions against it.
pub(super) fn assess(gathered: &mut Gathered<'_>, place: &Place, need: Need) {
    let (item, location) = place;
    let scene = gathered.scene;
    let [lost_key, more_key, waited_key] = keys(place);
    // Each lost unit counts in one case only; this one says where, so that nobody looks for its money here.
    if let Some(owner) = gathered.owned_elsewhere(item, location) {
        let note = FactValue::Text(format!("counted in {owner}"));
        let cite = gathered.place_fact(item, location, "counted_elsewhere", "loss of this shortage", note);
        gathered.lose(&lost_key, "lost margin, counted in another case".into(), Range::default(), vec![cite]);
        return;
    }
    // Without a forecast a shortage has no size: that is missing, and not nothing.
    if !scene.outlook.daily.contains_key(place) {
        let what = format!("demand forecast of {} at {}", scene.book.item_label(item), scene.book.location_name(location));
        gathered.miss(what, "the expected shortage");
        return;
    }
    let Some((margin, mut cites)) = gathered.margin(item) else { return };
    cites.push(gathered.recapture(item).1);
    let now = Projection::now(scene, place);
    let stake = Stake::of(scene, &now, margin, need);
    // Two windows: until relief, and, where an order is due, until what the next usual order would bring.
    let first = stake.first(scene, &now);
    let second = stake.second(scene, &now);
    cites.extend(window_facts(gathered, place, &now, &first, "shortage"));
    let losses = stake.loss(scene, &now);
    let Losses { lost, more, waited } = losses;
    let lost_cite =
        gathered.place_fact(item, location, "lost_margin", "expected lost margin", FactValue::Money(lost.expected));
    let name = format!("{} at {}", scene.book.item_label(item), scene.book.location_name(location));
    // Frozen as the figures were computed, so that whoever checks the card can compute them again.
    let at = frozen::name(place);
    frozen::forecast(gathered, place, stake.days(scene, &now));
    gathered.workings.shortages.insert(at.clone(), stake.frozen(&now));
    let mut lost_cites = cites.clone();
    lost_cites.push(lost_cite);
    gathered.lose_by(&lost_key, format!("lost margin on {name}"), lost, lost_cites, Made::Lost { place: at.clone() });
    // Those who wait have ordered: only the share of them that cancels is lost.
    if now.waiting > 0.0 {
        let cites = waiting_facts(gathered, place, &now, waited, &cites);
        let what = format!("customers wait for {}: margin lost on those who cancel: {name}", now.waiting);
        gathered.lose_by(&waited_key, what, waited, cites, Made::Waiting { place: at.clone() });
    }
    if let Some(second) = second.as_ref().filter(|_| more.expected > Money::ZERO) {
        let mut more_cites = cites;
        more_cites.extend(window_facts(gathered, place, &now, second, "unordered"));
        // It is a sum on the assumption that nobody orders before: it says so.
        let label = "lost margin that waiting for the next usual order adds";
        more_cites.push(gathered.place_fact(item, location, "unordered_margin", label, FactValue::Money(more.expected)));
        let next = projection::offer(scene.book, place)
            .map(|offer| next_order::days_to_next_order(scene, place, &offer.supplier))
            .map(|days| plus_days(scene.book.today, projection::in_days(days)));
        let assumed = next.map_or_else(String::new, |day| format!(" if nobody orders before {day}"));
        if let Some(day) = next {
            let label = "next order in the shop's rhythm, below the ERP's minimum where it has one";
            more_cites.push(gathered.place_fact(item, location, "next_order", label, FactValue::Date(day)));
        }
        gathered.lose_by(&more_key, format!("{label}{assumed}: {name}"), more, more_cites, Made::Unordered { place: at });
    }
    // What is to be brought is measured on the window that misses most, since one answer has to do for both.
    let worst = second.filter(|s| s.units > first.units).unwrap_or(first);
    let short = Short { place: place.clone(), stake, now, losses, first, worst, margin };
    gathered.shorts.insert(frozen::name(place), short.clone());
    // Answers in the order of their speed: from another shelf, from an order sooner, from a new order, and a question.
    if worst.units >= LEAST_UNITS || short.now.waiting > 0.0 {
        act::transfer::transfers(gathered, &short);
        act::reallocate::reallocations(gathered, &short);
        act::expedite::expedites(gathered, &short);
        act::split_ship::splits(gathered, &short);
        act::alt_supplier::alternatives(gathered, &short);
    }
    if need.reorder {
        act::increase_po::increases(gathered, &short);
        act::new_po::new_order(gathered, &short);
    }
    act::contact::questions(gathered, &short);
    if gathered.watch.is_none() {
        // Above the safety stock nothing is wrong yet.
        let available = scene.book.available(item, location).to_f64();
        let safety = projection::offer(scene.book, place)
            .and_then(|o| projection::levels(scene, place, &o.supplier))
            .map_or(0.0, |l| l.safety.min(available).max(0.0).floor());
        gathered.place_fact(item, location, "watch_level", "safety stock to watch", units(safety));
        gathered.watch = Some(format!("available stock of {name} falls below {safety:.0} or a promised receipt moves"));
    }
}
