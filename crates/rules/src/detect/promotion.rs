//! D-PROMO-OVER and D-PROMO-UNDER: promotions against the uplift that was to be expected (handbook §4.1).

use std::collections::BTreeMap;

use super::facts::{fact, record};
use super::item::Scored;
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::ItemId;
use reeve_domain::record::{Promotion, RecordKind};
use reeve_models::demand::promo_uplift;

/// What an item's promotions have shown.
#[derive(Default)]
pub(super) struct Promoted {
    /// Times the usual that was sold, by place.
    pub(super) ratios: BTreeMap<Place, f64>,
    /// Those that sell other than planned.
    pub(super) signals: Vec<Signal>,
}

impl Promoted {
    /// The item's promotions that run or have just ended, each over all locations of a company together: what is left over
    /// costs each company its own money.
    pub(super) fn of(book: &Book, settings: &Settings, item: &ItemId, scored: &[Scored]) -> Self {
        let mut promoted = Self::default();
        for promotion in book.promotions(item) {
            // A promotion that began this morning has shown nothing yet.
            let ended = days_between(promotion.to, book.closed);
            if promotion.from <= book.closed && ended <= 3 {
                for company in book.companies().into_iter().filter(|company| promotion.runs_in(*company)) {
                    let signal = promoted.promotion(book, settings, promotion, company, scored);
                    promoted.signals.extend(signal);
                }
            }
        }
        promoted
    }

    fn promotion(
        &mut self,
        book: &Book,
        settings: &Settings,
        promotion: &Promotion,
        company: Option<&str>,
        scored: &[Scored],
    ) -> Option<Signal> {
        let to = promotion.to.min(book.closed);
        let (mut expected, mut actual, mut low, mut high) = (0.0, 0.0, 0.0, 0.0);
        let mut days = 0;
        // Promotions have no location: each company's places are judged together, and apart from the others'.
        let ours = |scored: &&Scored| book.company_of(&scored.place.1) == company;
        let mut first = None;
        for Scored { place, series, scores, .. } in scored.iter().filter(ours) {
            first = first.or(Some(&place.1));
            let Some(lift) = promo_uplift(series, scores, promotion.from, to) else { continue };
            // Kept for every place, also where the promotion as a whole says nothing: the forecast goes by it.
            self.ratios.insert(place.clone(), lift.ratio);
            expected += lift.expected_baseline;
            actual += lift.actual;
            // Independent places: their half-widths add in squares.
            low += ((lift.ratio - lift.low) * lift.expected_baseline).powi(2);
            high += ((lift.high - lift.ratio) * lift.expected_baseline).powi(2);
            days = days.max(lift.days);
        }
        let length = f64::from(days_between(promotion.from, promotion.to) + 1);
        // A promotion that has just begun says nothing yet.
        if expected <= 0.0 || f64::from(days) < (length * 0.2).max(2.0) {
            return None;
        }
        let ratio = actual / expected;
        let (low, high) = (ratio - low.sqrt() / expected, ratio + high.sqrt() / expected);
        let plan = planned_uplift(settings, promotion);
        let item = book.item_label(&promotion.item);
        // Only where the whole interval lies beyond the band: a promotion is uncertain by nature.
        let (code, words) = if low > plan * settings.detect.promo_band {
            (T::DPromoOver, "more than planned")
        } else if high < plan / settings.detect.promo_band {
            (T::DPromoUnder, "less than planned")
        } else {
            return None;
        };
        // Where there are several companies it is said for which, and each has a case of its own.
        let company = company.filter(|_| book.has_several_companies());
        let whose = company.map_or_else(String::new, |company| format!(" at {}", book.company_label(company)));
        let about = company.map_or_else(|| promotion.id.clone(), |company| format!("{}, company {company}", promotion.id));
        let headline = format!(
            "The promotion of {item}{whose} ({} % off, {} to {}) sells {words}: {ratio:.2} times the usual over {days} days, {plan:.2} were to be expected.",
            promotion.percent, promotion.from, promotion.to
        );
        let source = || record(RecordKind::Promotion, &promotion.id);
        let number = |value: f64| FactValue::number(value, 2);
        let mut facts = vec![
            // A promotion's name is text that somebody typed: shown, and never a reason.
            fact(book, source(), "name", "promotion", FactValue::Text(promotion.name.clone())).from_outside(),
            fact(book, source(), "percent", "reduction", FactValue::percent(promotion.percent)),
            fact(book, source(), "from", "first day", FactValue::Date(promotion.from)),
            fact(book, source(), "to", "last day", FactValue::Date(promotion.to)),
            fact(book, source(), "sold", "sold so far", number(actual)),
            fact(book, source(), "baseline", "usual without it", number(expected)),
            fact(book, source(), "uplift", "times the usual", number(ratio)),
            fact(book, source(), "planned_uplift", "times planned", number(plan)),
        ];
        let subject =
            Subject { item: Some(promotion.item.clone()), document: Some(promotion.id.clone()), ..Subject::default() };
        if let (Some(company), Some(location)) = (company, first) {
            let source = record(RecordKind::Location, location.as_str());
            facts.push(fact(book, source, "company", "company", FactValue::Text(book.company_label(company))));
        }
        let signal = Signal::rule("promotion-band/1", code, subject, about.clone(), (promotion.from, to), headline);
        Some(signal.link(format!("promotion:{about}")).with(facts))
    }
}

/// The uplift to expect from a reduction, where the ERP holds no plan of its own.
pub(super) fn planned_uplift(settings: &Settings, promotion: &Promotion) -> f64 {
    settings.detect.promo_uplift_per_ten_percent.powf(promotion.percent.clamp(0.0, 60.0) / 10.0)
}
