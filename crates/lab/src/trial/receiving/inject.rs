//! Puts habits, notices and exceptions into lines of purchase orders.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use rand::seq::index;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::habit::{Habit, days_between, habits, known_lead};
use super::{BaseLine, Label, LineTruth, Trial};
use crate::draw::{chance, normal, pick, uniform, weighted};
use crate::trial::TrialError;
use reeve_models::receiving::{Bill, Notice, NoticeKind, PurchaseLine, Receipt, ReceivingKind, Records};

/// Kinds of exceptions and their shares.
const MIX: [(ReceivingKind, f64); 9] = [
    (ReceivingKind::Short, 0.19),
    (ReceivingKind::Over, 0.09),
    (ReceivingKind::Late, 0.16),
    (ReceivingKind::Early, 0.06),
    (ReceivingKind::PriceUp, 0.18),
    (ReceivingKind::PriceDown, 0.05),
    (ReceivingKind::DuplicateReceipt, 0.10),
    (ReceivingKind::WrongUnit, 0.05),
    (ReceivingKind::BilledNotReceived, 0.12),
];

/// How many of a vendor's deviations an exception is at least.
const BEYOND: f64 = 3.2;

/// Makes records of a base, with exceptions in a share `rate` of the second half by promised day. The same base, rate and
/// seed give the same trial.
///
/// # Errors
/// There must be a hundred lines at least, and the rate must be from 0 to 0.5.
pub fn inject(base: &[BaseLine], rate: f64, seed: u64) -> Result<Trial, TrialError> {
    if base.len() < 100 || !(0.0..=0.5).contains(&rate) {
        let what = format!("{} lines and a rate of {rate}, but 100 lines and a rate from 0 to 0.5 are needed", base.len());
        return Err(TrialError::Plan(what));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut base: Vec<BaseLine> = base.to_vec();
    base.sort_by(|a, b| (a.line.promised, &a.line.line).cmp(&(b.line.promised, &b.line.line)));
    let habits = habits(&base, &mut rng);
    // The first half shows what vendors do; only the second is scored.
    let half = base.len() / 2;
    let notices = notices(&base[half..], &mut rng);
    // A delay that is far beyond the vendor's own may be a real fault that nobody labelled: no exception is put there, and
    // it does not count as ordinary.
    let far: Vec<bool> = base
        .iter()
        .map(|line| habits[line.line.vendor.as_str()].is_far(days_between(line.line.promised, line.delivered) as f64))
        .collect();
    let open: Vec<usize> = (half..base.len()).filter(|at| !far[*at]).collect();
    let wanted = ((rate * (base.len() - half) as f64) as usize).min(open.len());
    let mut kinds: Vec<Option<ReceivingKind>> = vec![None; base.len()];
    for at in index::sample(&mut rng, open.len(), wanted) {
        kinds[open[at]] = Some(weighted(&mut rng, &MIX));
    }
    let mut trial = Trial { records: Records { notices, ..Records::default() }, truth: Vec::with_capacity(base.len()) };
    for (at, line) in base.iter().enumerate() {
        let truth = add(&mut trial.records, line, &habits[line.line.vendor.as_str()], kinds[at], &mut rng);
        let label = match kinds[at] {
            Some(kind) => Label::Exception(kind),
            None if far[at] => Label::NotCounted,
            None => Label::Ordinary,
        };
        trial.truth.push(LineTruth { scored: at >= half, label, ..truth });
    }
    Ok(trial)
}

/// Agreed price changes, bonus goods and announced delays, by vendors and locations with many lines.
fn notices(scored: &[BaseLine], rng: &mut ChaCha8Rng) -> Vec<Notice> {
    let frequent = |of: fn(&PurchaseLine) -> &str, least: usize| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for line in scored {
            *counts.entry(of(&line.line)).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count >= least).map(|(name, _)| name.to_owned()).collect::<Vec<String>>()
    };
    let (vendors, locations) = (frequent(|line| &line.vendor, 25), frequent(|line| &line.location, 40));
    let (first, last) = (scored[0].line.promised, scored[scored.len() - 1].line.promised);
    let span = days_between(first, last) as f64;
    let mut notices = Vec::new();
    for (kind, count) in [(NoticeKind::PriceChange, 5), (NoticeKind::Bonus, 3), (NoticeKind::Delay, 5)] {
        // Places are what a delay is about; prices and bonuses are agreed with a vendor.
        let whom = if kind == NoticeKind::Delay { &locations } else { &vendors };
        if whom.is_empty() {
            continue;
        }
        for _ in 0..count {
            let from = plus(first, (uniform(rng, 0.05, 0.85) * span) as i64);
            let days = if kind == NoticeKind::Delay { rng.gen_range(25..70) } else { rng.gen_range(45..150) };
            let value = match kind {
                NoticeKind::PriceChange => pick(rng, &[-0.06, 0.03, 0.05, 0.08, 0.12]),
                NoticeKind::Bonus => pick(rng, &[0.05, 0.10, 0.125]),
                NoticeKind::Delay => f64::from(rng.gen_range(12_u8..45)),
            };
            let name = Some(whom[rng.gen_range(0..whom.len())].clone());
            let (vendor, location) = if kind == NoticeKind::Delay { (None, name) } else { (name, None) };
            notices.push(Notice { kind, vendor, location, line: None, from, to: plus(from, days), value });
        }
    }
    notices
}

/// What a notice of a kind says about a line, if one does.
fn said(notices: &[Notice], kind: NoticeKind, line: &PurchaseLine) -> Option<f64> {
    let about = |whom: &Option<String>, name: &str| whom.as_deref().is_none_or(|whom| whom == name);
    let holds = |notice: &&Notice| {
        notice.kind == kind
            && about(&notice.vendor, &line.vendor)
            && about(&notice.location, &line.location)
            && (notice.from..=notice.to).contains(&line.promised)
    };
    notices.iter().find(holds).map(|notice| notice.value)
}

/// A date some days later, or earlier.
fn plus(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

fn rounded(price: f64) -> f64 {
    (price * 10_000.0).round() / 10_000.0
}

/// How a line comes and is billed, before it is written down as receipts and a bill.
struct Coming {
    /// When it was ordered.
    ordered: Date,
    /// When the first of it comes.
    received_on: Date,
    /// How much comes.
    got: f64,
    /// How much is billed; None where it is what came.
    billed: Option<f64>,
    billed_price: f64,
    /// Does it come in two parts?
    in_parts: bool,
    /// Did the vendor say that it would come so?
    notice: bool,
    /// How far the exception goes, in the measure of its kind; 0 where there is none.
    magnitude: f64,
}

/// What notices say about a line.
struct Noticed {
    price_change: Option<f64>,
    bonus: Option<f64>,
    delay: Option<f64>,
}

/// Adds a line with its receipts and its bill. Label and half of the truth are the caller's.
fn add(
    records: &mut Records,
    base: &BaseLine,
    habit: &Habit,
    kind: Option<ReceivingKind>,
    rng: &mut ChaCha8Rng,
) -> LineTruth {
    let line = &base.line;
    let noticed = Noticed {
        price_change: said(&records.notices, NoticeKind::PriceChange, line),
        bonus: said(&records.notices, NoticeKind::Bonus, line),
        delay: said(&records.notices, NoticeKind::Delay, line),
    };
    let mut coming = as_usual(base, habit, &noticed, kind, rng);
    if let Some(kind) = kind {
        deviate(&mut coming, line, habit, &noticed, kind, rng);
    }
    let parts = parts(&mut coming, habit, kind, rng);
    let total: f64 = parts.iter().map(|(_, quantity)| quantity).sum();
    let last = parts.iter().map(|(day, _)| *day).max().unwrap_or(coming.received_on);
    let bill = Bill {
        line: line.line.clone(),
        date: plus(last, habit.bill_lag + rng.gen_range(0..5)),
        quantity: coming.billed.unwrap_or(total),
        price: rounded(coming.billed_price),
    };
    let impact = kind.map_or(0.0, |kind| impact(kind, line, &coming, &bill, &parts));
    let receipt = |(date, quantity)| Receipt { line: line.line.clone(), date, quantity };
    records.receipts.extend(parts.into_iter().map(receipt));
    records.bills.push(bill);
    records.lines.push(PurchaseLine { ordered: coming.ordered, price: rounded(line.price), ..line.clone() });
    LineTruth { scored: false, label: Label::Ordinary, magnitude: coming.magnitude, impact, notice: coming.notice }
}

/// The line as its vendor delivers and bills it without a fault: by habit, and by what was announced.
fn as_usual(base: &BaseLine, habit: &Habit, noticed: &Noticed, kind: Option<ReceivingKind>, rng: &mut ChaCha8Rng) -> Coming {
    let line = &base.line;
    let ordered_qty = line.quantity;
    // Without a known order day the line gets the vendor's usual lead time, or every receipt of it would seem to come at
    // once.
    let ordered = if known_lead(base).is_some() { line.ordered } else { plus(line.promised, -habit.lead) };
    let mut received_on = base.delivered;
    let mut got = ordered_qty;
    if chance(rng, habit.short_p) {
        got = (ordered_qty - ((normal(rng) * habit.short_sd).abs() * ordered_qty).round()).max(1.0);
    } else if chance(rng, habit.over_p) {
        got = ordered_qty + ((normal(rng) * habit.over_sd).abs() * ordered_qty).round();
    }
    let mut billed_price = line.price * (1.0 + normal(rng) * habit.price_sd);
    let mut billed = None;
    let mut notice = false;
    if let Some(share) = noticed.price_change {
        billed_price *= 1.0 + share;
        notice = true;
    }
    // A bonus comes on top of a whole delivery and is not billed.
    if let Some(share) = noticed.bonus.filter(|_| (got - ordered_qty).abs() < 0.5) {
        got = ordered_qty + (ordered_qty * share).floor();
        billed = Some(ordered_qty);
        notice = true;
    }
    // What is announced explains a delay; an exception must not be explained.
    if let Some(days) = noticed.delay.filter(|_| kind.is_none()) {
        received_on = plus(received_on.max(line.promised), days as i64 + rng.gen_range(-4..5));
        notice = true;
    }
    // Some vendors bill what was ordered, whatever came.
    if billed.is_none() && habit.by_order && got < ordered_qty {
        billed = Some(ordered_qty);
    }
    let in_parts = chance(rng, habit.partial) && ordered_qty >= 10.0;
    Coming { ordered, received_on, got, billed, billed_price, in_parts, notice, magnitude: 0.0 }
}

/// Puts an exception into a line. It lies beyond what the vendor does anyway; otherwise nobody could tell it from a habit.
fn deviate(
    coming: &mut Coming,
    line: &PurchaseLine,
    habit: &Habit,
    noticed: &Noticed,
    kind: ReceivingKind,
    rng: &mut ChaCha8Rng,
) {
    use ReceivingKind as K;
    let (ordered_qty, price) = (line.quantity, line.price);
    let habitual = |applies: bool, sd: f64| if applies { BEYOND * sd } else { 0.0 };
    match kind {
        K::Short => {
            let share = habitual(habit.short_p > 0.0, habit.short_sd).max(uniform(rng, 0.02, 0.25));
            coming.got = (ordered_qty * (1.0 - share)).floor().clamp(0.0, (ordered_qty - 1.0).max(0.0));
            (coming.magnitude, coming.billed) = (-share, None);
        }
        K::Over => {
            let announced = noticed.bonus.unwrap_or(0.0) + 0.03;
            let share = habitual(habit.over_p > 0.0, habit.over_sd).max(announced).max(uniform(rng, 0.02, 0.30));
            coming.got = (ordered_qty * (1.0 + share)).round().max(ordered_qty + 1.0);
            (coming.magnitude, coming.billed) = (share, None);
        }
        K::Late | K::Early => {
            let days = if kind == K::Late {
                habit.delay_high.max(0.0) + noticed.delay.unwrap_or(0.0) + f64::from(rng.gen_range(4_u8..32))
            } else {
                habit.delay_low.min(0.0) - f64::from(rng.gen_range(5_u8..26))
            };
            coming.received_on = plus(line.promised, days as i64).max(plus(coming.ordered, 1));
            coming.magnitude = days_between(line.promised, coming.received_on) as f64;
        }
        K::PriceUp | K::PriceDown => {
            let share = (BEYOND * habit.price_sd).max(uniform(rng, 0.008, 0.15));
            coming.magnitude = if kind == K::PriceUp { share } else { -share };
            coming.billed_price = price * (1.0 + noticed.price_change.unwrap_or(0.0)) * (1.0 + coming.magnitude);
        }
        K::WrongUnit => {
            let pack = if (2.0..=300.0).contains(&line.pack_size) { line.pack_size.floor() } else { 10.0 };
            coming.magnitude = pick(rng, &[pack, 1.0 / pack, 12.0, 1.0 / 12.0, 10.0, 0.1]);
            coming.got = (ordered_qty * coming.magnitude).round().max(1.0);
            // Where the wrong unit rounds to what was ordered there would be no fault.
            if (coming.got - ordered_qty).abs() < 0.5 {
                coming.got = ordered_qty + pack;
            }
            coming.in_parts = false;
            coming.billed = chance(rng, 0.5).then_some(ordered_qty);
        }
        K::BilledNotReceived => {
            let share = habitual(habit.short_p > 0.0 && habit.by_order, habit.short_sd).max(uniform(rng, 0.02, 0.30));
            let came = (coming.got * (1.0 - share)).floor().max(0.0);
            coming.billed = Some(if came < coming.got { coming.got } else { coming.got + 1.0 });
            (coming.magnitude, coming.got) = (-share, came);
        }
        // What is booked in twice is added to the receipts, which stand only afterwards.
        K::DuplicateReceipt => {}
    }
}

/// The receipts of a line: day and quantity each.
fn parts(coming: &mut Coming, habit: &Habit, kind: Option<ReceivingKind>, rng: &mut ChaCha8Rng) -> Vec<(Date, f64)> {
    let (received_on, got) = (coming.received_on, coming.got);
    let mut parts = vec![(received_on, got)];
    if coming.in_parts && got >= 4.0 {
        let first = if habit.halves { (got / 2.0).floor() } else { (got * uniform(rng, 0.2, 0.8)).floor() };
        parts = vec![(received_on, first), (plus(received_on, rng.gen_range(1..21)), got - first)];
    }
    if kind == Some(ReceivingKind::DuplicateReceipt) {
        let (day, quantity) = parts[rng.gen_range(0..parts.len())];
        let real = parts.iter().map(|(_, quantity)| quantity).sum();
        parts.push((plus(day, rng.gen_range(0..6)), quantity));
        coming.magnitude = 1.0;
        if chance(rng, 0.5) {
            coming.billed = Some(real);
        }
    }
    parts
}

/// What an exception costs whom it is not told.
fn impact(kind: ReceivingKind, line: &PurchaseLine, coming: &Coming, bill: &Bill, parts: &[(Date, f64)]) -> f64 {
    use ReceivingKind as K;
    let (ordered_qty, price) = (line.quantity, line.price);
    if matches!(kind, K::Late | K::Early) {
        // Days cost what the goods' value costs: a quarter a year, for two months at most.
        return ordered_qty * price * coming.magnitude.abs().min(60.0) / 365.0 * 0.25;
    }
    let total: f64 = parts.iter().map(|(_, quantity)| quantity).sum();
    let money = (bill.quantity * coming.billed_price - ordered_qty * price).abs();
    let missing = (total - bill.quantity).abs() * price;
    match kind {
        K::DuplicateReceipt => money.max(missing).max(parts[parts.len() - 1].1 * price),
        K::BilledNotReceived => money.max(missing),
        _ => money,
    }
}
