//! The scene of a case is everything it is judged on: its exceptions, the book, the outlook and the probabilities. It is handed
//! whole to whatever computes candidates, so that drafting and the check at the click compute the same thing.

use std::collections::BTreeMap;

use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::case::Case;
use reeve_domain::exception::{Exception, ExceptionState, ExceptionType};
use reeve_domain::money::Quantity;

/// A case with everything it is judged on.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The case.
    pub case: &'a Case,
    /// Its open exceptions, the leading one first.
    pub exceptions: &'a [Exception],
    /// The records.
    pub book: &'a Book,
    /// The forecast.
    pub outlook: &'a Outlook,
    /// Probability that an exception of a type is real, from decisions and the type's prior (handbook §7).
    pub p: &'a BTreeMap<ExceptionType, f64>,
    /// Links owned by other live cases (`shortage:75@3` → case): a loss that another case counts is not counted here.
    /// `idle:75@3` says of one that it is worth nothing.
    pub claimed: &'a BTreeMap<String, String>,
    /// A donor's units that transfers of other cases claim: approved ones, and those of cases that rank before this one.
    pub promised: &'a BTreeMap<Place, Quantity>,
    /// The settings.
    pub settings: &'a Settings,
}

/// A case's open exceptions, the one that leads the case first.
pub fn open_exceptions(all: Vec<Exception>, case: &Case) -> Vec<Exception> {
    let mut open: Vec<Exception> = all.into_iter().filter(|e| e.state == ExceptionState::Open).collect();
    let place = |e: &Exception| case.codes.iter().position(|c| *c == e.signal.code).unwrap_or(usize::MAX);
    open.sort_by_key(|e| (place(e), e.id.clone()));
    open
}
