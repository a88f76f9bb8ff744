//! How like each kind of exception a line is, without labels: log-likelihood ratios against the vendor's own habit.
//!
//! The ratios are put together as if the kinds excluded each other: prior times likelihood, summed. Their weights say how
//! far each group of ratios can be trusted; they were chosen on half of the public vendors' lines.

use super::features::Features;
use super::kind::ReceivingKind;
use super::timing;

/// Weight of ratios about days. Deliveries are late for reasons shared by many lines, so their evidence is not
/// independent and counts less than it seems to.
const DAYS_WEIGHT: f64 = 0.5;

/// Weight of ratios about prices, whose habits are the most regular.
const PRICE_WEIGHT: f64 = 1.5;

/// What being like a duplicate or a unit slip adds: both explain a quantity that is far off, which by itself would be
/// taken for a short or an over-delivery. The catalogue asks about them first.
const FIRST: f64 = 12.0;

/// The least a ratio counts for.
const LEAST: f64 = -6.0;

/// Exceptions among lines: a flat prior, one line in twenty, each kind as likely as any other. A shop's own rate is not known before
/// somebody has decided; where it is lower, the probabilities are too high by as much.
const PRIOR: f64 = 0.05 / 9.0;

/// Lines on which several things went wrong at once, likewise: a tenth of those of one kind.
const SEVERAL_PRIOR: f64 = PRIOR / 10.0;

/// Everything that a likeness is made of, to tell one version from another.
pub(super) fn constants() -> String {
    format!(
        "{DAYS_WEIGHT} {PRICE_WEIGHT} {FIRST} {LEAST} {PRIOR} {SEVERAL_PRIOR} {} {:?}",
        timing::constants(),
        Features::NAMES
    )
}

/// Log-likelihood ratio of each kind, in the order of [`ReceivingKind::ALL`].
pub(super) fn likeness(f: &Features) -> [f64; 9] {
    let present = |is: bool, x: f64| if is { x.max(LEAST) } else { LEAST };
    // More billed than came explains the short as well: the bill is what to act on.
    let unreceived = f.unreceived_odds.max(f.short_odds) + 1.0;
    // A vendor that bills by order, and for once bills what it sent, knows that it was short.
    let billed_short = if f.unreceived_odds == 0.0 { f.billing_odds.max(0.0) } else { 0.0 };
    [
        present(f.short > 0.0, f.short_odds + billed_short),
        present(f.over > 0.0, f.over_odds),
        present(f.late_odds != 0.0, DAYS_WEIGHT * f.late_odds),
        present(f.early_odds != 0.0, DAYS_WEIGHT * f.early_odds),
        present(f.price > 0.0, PRICE_WEIGHT * f.price_odds),
        present(f.price < 0.0, PRICE_WEIGHT * f.price_odds),
        present(f.duplicate_odds > 0.0, f.duplicate_odds + FIRST),
        present(f.unit_odds > 0.0, f.unit_odds + FIRST),
        present(f.unreceived_odds != 0.0, unreceived),
    ]
}

/// Log-likelihood ratio of a line on which everything went a little wrong, quantity, price and day: what speaks for and against each,
/// added up. `None` where one of them is as agreed: then the others say it.
pub(super) fn several(f: &Features) -> Option<f64> {
    let quantity = if f.short > 0.0 { f.short_odds.max(f.unreceived_odds) } else { f.over_odds };
    let day = if f.days > 0.0 { f.late_odds } else { f.early_odds };
    let sides = [
        (f.short > 0.0 || f.over > 0.0, quantity),
        (f.price_odds != 0.0, PRICE_WEIGHT * f.price_odds),
        (f.days != 0.0, DAYS_WEIGHT * day),
    ];
    sides.iter().all(|(off, _)| *off).then(|| sides.iter().map(|(_, odds)| odds.max(LEAST)).sum())
}

/// Log-odds that a line is an exception of any kind, or of several.
pub(super) fn log_odds(likeness: &[f64; 9], several: Option<f64>) -> f64 {
    let total: f64 = likeness.iter().map(|like| PRIOR * like.exp()).sum();
    (total + several.map_or(0.0, |like| SEVERAL_PRIOR * like.exp())).ln()
}

/// The likeliest kind; of equals the first.
pub(super) fn likeliest(likeness: &[f64; 9]) -> ReceivingKind {
    let first = (ReceivingKind::ALL[0], likeness[0]);
    ReceivingKind::ALL
        .into_iter()
        .zip(likeness.iter().copied())
        .fold(first, |best, next| if next.1 > best.1 { next } else { best })
        .0
}

/// What speaks for each kind: the features a planner would ask for, by name.
pub(super) fn evidence(kind: ReceivingKind) -> &'static [&'static str] {
    match kind {
        ReceivingKind::Short => &["short", "short_tail"],
        ReceivingKind::Over => &["over", "over_tail"],
        ReceivingKind::Late => &["days", "late_tail"],
        ReceivingKind::Early => &["days", "early_tail"],
        ReceivingKind::PriceUp | ReceivingKind::PriceDown => &["price", "price_tail"],
        ReceivingKind::DuplicateReceipt => &["equal_parts", "over"],
        ReceivingKind::WrongUnit => &["received_ordered", "unit_odds"],
        ReceivingKind::BilledNotReceived => &["billed_received", "unreceived_tail"],
    }
}
