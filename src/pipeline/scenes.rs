//! The one place where facts for a case are put together: what all cases of a moment are judged on alike, and what is each
//! case's own. Drafting, the look at what was turned down and the check at the click lend the rules their [`Scene`] from here,
//! so that no two of them judge a case on different things.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::moment::Moment;
use crate::config::Config;
use crate::domain::book::{Book, Place};
use crate::domain::case::Case;
use crate::domain::exception::Exception;
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::money::Quantity;
use crate::rules::place_key;
use crate::rules::scene::{Scene, open_exceptions};
use crate::rules::scope;
use crate::store::Store;

/// What all cases of a moment are judged on alike.
pub struct Scenes {
    /// The book, and what the detectors see in it.
    pub moment: Arc<Moment>,
    /// The rules' settings are a part of it.
    pub config: Arc<Config>,
    /// Which case counts which loss: [`Scene::claimed`].
    pub claimed: BTreeMap<String, String>,
}

/// What is a case's own.
#[derive(Clone, Debug)]
pub struct CaseFacts {
    /// The case.
    pub case: Case,
    /// Its open exceptions, the leading one first.
    pub exceptions: Vec<Exception>,
    /// What other cases are promised of donors' units: [`Scene::promised`].
    promised: BTreeMap<Place, Quantity>,
    /// The book with the sales of the case's items.
    book: Arc<Book>,
}

impl CaseFacts {
    /// The same where other cases are promised this.
    #[must_use]
    pub fn with_promised(self, promised: BTreeMap<Place, Quantity>) -> Self {
        Self { promised, ..self }
    }
}

impl Scenes {
    /// The facts of a case with the exceptions that the store has of it.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn read(&self, store: &Store, case: &Case, promised: BTreeMap<Place, Quantity>) -> anyhow::Result<CaseFacts> {
        let exceptions = store.list_case_exceptions(&case.id).await?;
        self.facts(store, case.clone(), exceptions, promised).await
    }

    /// The facts of a case with these exceptions, of which the open ones count.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn facts(
        &self,
        store: &Store,
        case: Case,
        exceptions: Vec<Exception>,
        promised: BTreeMap<Place, Quantity>,
    ) -> anyhow::Result<CaseFacts> {
        let items = self.items_of(&case, &exceptions);
        let book = self.moment.book_of(store, &items).await?;
        let exceptions = open_exceptions(exceptions, &case);
        Ok(CaseFacts { case, exceptions, promised, book })
    }

    /// The items that a case is about.
    pub fn items_of(&self, case: &Case, exceptions: &[Exception]) -> BTreeSet<ItemId> {
        scope::of_case(&self.moment.book, &self.moment.seen, case, exceptions)
    }

    /// The scene of a case, for whatever computes on it.
    pub fn scene<'s>(&'s self, own: &'s CaseFacts) -> Scene<'s> {
        let Moment { seen, p, .. } = self.moment.as_ref();
        Scene {
            case: &own.case,
            exceptions: &own.exceptions,
            book: &own.book,
            outlook: &seen.outlook,
            p,
            claimed: &self.claimed,
            promised: &own.promised,
            settings: &self.config.rules,
        }
    }
}

/// Which case owns what, with `idle:75@3` beside `shortage:75@3` where that case needs no stock.
pub fn claims(links: &BTreeMap<String, CaseId>, idle: impl Fn(&CaseId) -> bool) -> BTreeMap<String, String> {
    let places = links.iter().filter(|(_, case)| idle(case));
    let places = places.filter_map(|(link, case)| Some((place_key::idle_of(link)?, case)));
    let owned = links.iter().map(|(link, case)| (link.clone(), case));
    owned.chain(places).map(|(link, case)| (link, case.to_string())).collect()
}
