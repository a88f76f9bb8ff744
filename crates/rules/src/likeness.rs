//! By what two cases are alike: their numbers as a vector of fixed length, their words for a model of meaning, and how alike two
//! are when both are known. Pure; whoever finds the nearest of many does it by these.
//!
//! The numbers are what went wrong and how badly, never where: a short delivery of one supplier is like that of another. Where it was
//! stands in the words.

use std::collections::BTreeSet;

use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{Exception, ExceptionType};
use reeve_domain::ids::content_hash;
use reeve_domain::supply::Supply;
use reeve_domain::text::clean;
use rust_decimal::prelude::ToPrimitive as _;

/// Places of the types of exceptions.
const TYPES: usize = 64;
/// Places of the figures of facts and of what drove a score.
const FIGURES: usize = 128;
/// Components of a profile.
pub const PROFILE: usize = TYPES + FIGURES;

/// The types that there were when the first profiles were kept, in the order of their places.
#[rustfmt::skip]
const FIRST: [ExceptionType; 35] = {
    use ExceptionType as T;
    [
        T::DSpike, T::DCollapse, T::DShift, T::DPromoOver, T::DPromoUnder, T::DReturn, T::DData, T::RShort, T::ROver, T::RLate,
        T::REarly, T::RUom, T::RDup, T::RAsn, T::RUnplanned, T::RDamage, T::FQty, T::FPrice, T::FDupBill, T::ILow, T::IOut, T::IImbal,
        T::ICount, T::IShrink, T::INeg, T::IScrap, T::IPhantom, T::SDelay, T::SOverdue, T::SUnconf, T::SLtShift, T::MMaster,
        T::OOversell, T::OSync, T::TLate,
    ]
};

/// How much a case's leading type weighs beside the others, and both beside the figures, which have length one together.
const LEADING: f32 = 1.5;
const FURTHER: f32 = 0.75;

/// Longest words of a case, in characters: a model of meaning reads no more.
const WORDS_MAX: usize = 400;

/// How much a case's numbers count beside its words where two are compared. Chosen on generated retailers of seeds 1 to 5
/// (docs/MEMORY.md has the figures on others).
const BY_NUMBERS: f32 = 0.6;

/// Less alike than this by numbers is no like case: another type leads, or its size has nothing in common.
pub const LEAST_ALIKE: f32 = 0.5;

/// The numbers of a case by its exceptions, the leading one first: a vector of length one with [`PROFILE`] components.
///
/// A figure stands where the type and its label put it, as the sign and the logarithm of its size, so that 8 of 100 and 80 of 1,000
/// differ less than 8 and 92 of 100.
pub fn profile(exceptions: &[Exception]) -> Vec<f32> {
    let mut vector = vec![0.0_f32; PROFILE];
    for (place, exception) in exceptions.iter().enumerate() {
        let weight = if place == 0 { LEADING } else { FURTHER };
        let slot = place_of(exception.signal.code);
        vector[slot] = vector[slot].max(weight);
    }
    let mut figures = vec![0.0_f32; FIGURES];
    for exception in exceptions {
        let (signal, code) = (&exception.signal, exception.signal.code.code());
        for fact in &signal.facts {
            if let Some(number) = number(&fact.value) {
                figures[slot(&[code, &fact.label])] += size(number);
            }
        }
        for driver in &signal.drivers {
            figures[slot(&["driver", &driver.feature])] += size(driver.value);
        }
    }
    scale(&mut figures);
    vector[TYPES..].copy_from_slice(&figures);
    scale(&mut vector);
    vector
}

/// The place of a type. Profiles are kept: a type that came later stands behind those that had a place, whatever the handbook's order.
fn place_of(code: ExceptionType) -> usize {
    if let Some(at) = FIRST.iter().position(|first| *first == code) {
        return at;
    }
    let later = ExceptionType::ALL.iter().filter(|code| !FIRST.contains(code));
    (FIRST.len() + later.take_while(|other| **other != code).count()) % TYPES
}

/// The words of a case: the names of its types and what happened, cleaned of what can not be seen. Nothing of it is a person's name.
pub fn words(exceptions: &[Exception]) -> String {
    let lines = exceptions.iter().map(|exception| {
        let signal = &exception.signal;
        format!("{}. {}", signal.code.name(), signal.headline)
    });
    clean(&lines.collect::<Vec<_>>().join(" "), WORDS_MAX)
}

/// The company whose a case is, by its places: empty where the ERP tells of no companies. None where there are several and its
/// places do not say which, or say more than one: of such a case nothing is remembered, and nothing is shown beside it.
pub fn company_of(supply: &Supply, exceptions: &[Exception]) -> Option<String> {
    if !supply.has_several_companies() {
        return Some(String::new());
    }
    let mut companies = BTreeSet::new();
    for exception in exceptions {
        let subject = &exception.signal.subject;
        let lines = match (&subject.po_line, &subject.order) {
            (Some(line), _) => supply.po_lines.get(line).into_iter().collect(),
            (None, Some(order)) => supply.lines_of_order(order),
            (None, None) => Vec::new(),
        };
        let places = subject.location.iter().chain(lines.into_iter().map(|line| &line.location));
        for place in places {
            companies.insert(supply.company_of(place)?);
        }
    }
    let mut companies = companies.into_iter();
    match (companies.next(), companies.next()) {
        (Some(company), None) => Some(company.to_owned()),
        _ => None,
    }
}

/// How alike two cases are by numbers and words, 1 for the same. Where one of them has no words that a model read, numbers alone
/// count.
pub fn alike(by_numbers: f32, by_words: Option<f32>) -> f32 {
    by_words.map_or(by_numbers, |words| BY_NUMBERS.mul_add(by_numbers, (1.0 - BY_NUMBERS) * words))
}

/// The cosine of the angle between two vectors of length one; 0 where they are not of one length, or one is empty.
pub fn cosine(one: &[f32], other: &[f32]) -> f32 {
    if one.len() != other.len() {
        return 0.0;
    }
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// Where a figure stands: by its name, the same on every machine.
fn slot(name: &[&str]) -> usize {
    let hash = content_hash(name);
    usize::from_str_radix(&hash[..8], 16).unwrap_or(0) % FIGURES
}

fn number(value: &FactValue) -> Option<f64> {
    match value {
        FactValue::Quantity(quantity) => quantity.0.to_f64(),
        FactValue::Price(price) => price.0.to_f64(),
        FactValue::Money(money) => i32::try_from(money.minor / 100).ok().map(f64::from),
        FactValue::Days(number) | FactValue::Percent(number) | FactValue::Number(number) => number.to_f64(),
        FactValue::Date(_) | FactValue::Text(_) => None,
    }
}

/// The sign of a number with the logarithm of its size.
fn size(number: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm is small, and a few digits of it are enough")]
    let logarithm = number.abs().ln_1p() as f32;
    if number < 0.0 { -logarithm } else { logarithm }
}

/// Brings a vector to length one; one of zeros stays as it is.
fn scale(vector: &mut [f32]) {
    let length = vector.iter().map(|component| component * component).sum::<f32>().sqrt();
    if length > 0.0 {
        for component in vector.iter_mut() {
            *component /= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use reeve_domain::evidence::Fact;
    use reeve_domain::exception::{Signal, Subject};
    use reeve_domain::money::Quantity;
    use reeve_domain::record::{RecordKind, RecordRef};
    use reeve_testing::cases;

    fn exception(code: ExceptionType, ordered: i64, came: i64) -> Exception {
        let day = "2026-10-01".parse().unwrap();
        let fact = |label: &str, units: i64| {
            let source = RecordRef::new(RecordKind::PoLine, "1");
            Fact::new(source, label, label, FactValue::Quantity(Quantity::units(units)), Timestamp::UNIX_EPOCH)
        };
        let signal = Signal::rule("test/1", code, Subject::default(), "p".into(), (day, day), "Short by some".into());
        cases::exception(signal.with([fact("ordered", ordered), fact("came", came)]), Timestamp::UNIX_EPOCH)
    }

    fn between(one: &[Exception], other: &[Exception]) -> f32 {
        cosine(&profile(one), &profile(other))
    }

    #[test]
    fn what_went_wrong_counts_most_and_then_how_badly() {
        let short = |ordered, came| [exception(ExceptionType::RShort, ordered, came)];
        let this = short(100, 92);
        assert!((between(&this, &this) - 1.0).abs() < 1e-5);
        let (like, unlike) = (between(&this, &short(120, 110)), between(&this, &short(100, 4)));
        assert!(like > unlike, "{like} {unlike}");
        let other = between(&this, &[exception(ExceptionType::RLate, 100, 92)]);
        assert!(unlike > other && other < LEAST_ALIKE, "{unlike} {other}");
        assert!(profile(&[]).iter().all(|component| component.abs() < f32::EPSILON));
    }

    #[test]
    fn types_have_places_of_their_own() {
        assert!(ExceptionType::ALL.len() <= TYPES);
        let places: BTreeSet<usize> = ExceptionType::ALL.iter().map(|code| place_of(*code)).collect();
        assert_eq!(places.len(), ExceptionType::ALL.len());
        assert_eq!(
            (place_of(ExceptionType::RShort), place_of(ExceptionType::TLate)),
            (7, 34),
            "where they were when profiles were kept first"
        );
    }

    #[test]
    fn words_alone_do_not_make_two_cases_alike_where_no_model_read_them() {
        assert!((alike(0.7, None) - 0.7).abs() < f32::EPSILON);
        assert!(alike(0.7, Some(1.0)) > alike(0.7, Some(0.2)));
    }
}
