//! What of the queue is asked for, as it stands in the address: a filter is a link, so it can be kept, sent and bookmarked.

use std::cmp::Reverse;

use serde::Deserialize;

use crate::cards::names::Names;
use crate::domain::case::Case;
use crate::domain::exception::{ExceptionType, Subject};
use crate::store::CaseSubject;

/// Longest text of one field: names are short, and what is kept of a filter is bounded.
const FIELD_MAX: usize = 120;

/// The fields of an address. What is not understood is left out, as a link from elsewhere may be old.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// Which states: a name of the queue's list.
    pub(super) state: String,
    /// The code of a type of exception.
    #[serde(rename = "type")]
    pub(super) code: String,
    /// The ERP's id of a supplier, a place or an item.
    pub(super) supplier: String,
    pub(super) place: String,
    pub(super) item: String,
    /// The id of the person who looks after it; `-` for nobody.
    pub(super) owner: String,
    /// Words that have to be in it, in any order.
    pub(super) text: String,
    /// In which order: a name of [`Sort`].
    pub(super) sort: String,
    /// Which page, from 1.
    pub(super) page: String,
}

/// Nobody, where an owner is asked for.
pub(super) const NOBODY: &str = "-";

impl Filter {
    /// The same without a page, each field cut to what is kept.
    pub(super) fn cut(self) -> Self {
        let cut = |text: String| text.trim().chars().take(FIELD_MAX).collect::<String>();
        Self {
            // What a form says of what nobody chose is left out, so that one filter has one address.
            state: Some(cut(self.state)).filter(|state| state != "open").unwrap_or_default(),
            code: cut(self.code),
            supplier: cut(self.supplier),
            place: cut(self.place),
            item: cut(self.item),
            owner: cut(self.owner),
            text: cut(self.text),
            sort: cut(self.sort),
            page: cut(self.page),
        }
    }

    /// Reads what stands behind the question mark.
    pub(super) fn of_query(query: &str) -> Self {
        let mut filter = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some((_, field)) = filter.fields_mut().into_iter().find(|(known, _)| *known == name) {
                *field = value.into_owned();
            }
        }
        filter.cut()
    }

    /// What stands behind the question mark, always in the same order; nothing for the queue as it is.
    pub(super) fn query(&self) -> String {
        let mut same = self.clone();
        let mut out = form_urlencoded::Serializer::new(String::new());
        for (name, value) in same.fields_mut() {
            if !value.is_empty() {
                out.append_pair(name, value);
            }
        }
        out.finish()
    }

    /// A link to another page of the same.
    pub(super) fn at_page(&self, page: usize) -> String {
        let page = if page > 1 { page.to_string() } else { String::new() };
        let query = Self { page, ..self.clone() }.query();
        if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
    }

    fn fields_mut(&mut self) -> [(&'static str, &mut String); 9] {
        [
            ("state", &mut self.state),
            ("type", &mut self.code),
            ("supplier", &mut self.supplier),
            ("place", &mut self.place),
            ("item", &mut self.item),
            ("owner", &mut self.owner),
            ("text", &mut self.text),
            ("sort", &mut self.sort),
            ("page", &mut self.page),
        ]
    }

    /// The page that is asked for, from 1.
    pub(super) fn page(&self) -> usize {
        self.page.parse().unwrap_or(1).max(1)
    }

    /// The type that is asked for.
    pub(super) fn exception(&self) -> Option<ExceptionType> {
        self.code.parse().ok()
    }

    /// What the cases have to be about.
    pub(super) fn about(&self) -> About {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        About {
            subject: CaseSubject { item: some(&self.item), location: some(&self.place), supplier: some(&self.supplier) },
            owner: some(&self.owner),
            words: self.text.to_lowercase().split_whitespace().map(str::to_owned).collect(),
            sort: Sort::ALL.into_iter().find(|(name, ..)| *name == self.sort).map_or(Sort::Priority, |(_, _, sort)| sort),
        }
    }
}

/// What a case has to be about, and in which order cases come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// The store has an index for these.
    pub(super) subject: CaseSubject,
    owner: Option<String>,
    /// In small letters.
    words: Vec<String>,
    pub(super) sort: Sort,
}

/// In which order cases come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// As the digest has them: above the line, then by priority.
    #[default]
    Priority,
    /// Whose time is over first.
    Deadline,
    /// The largest loss first.
    AtStake,
    /// The newest first.
    Newest,
}

impl Sort {
    /// Every order with its name in addresses and for people.
    pub(super) const ALL: [(&'static str, &'static str, Self); 4] = [
        ("", "what waiting costs", Self::Priority),
        ("deadline", "days left", Self::Deadline),
        ("stake", "money at stake", Self::AtStake),
        ("newest", "newest first", Self::Newest),
    ];

    /// Puts cases in this order; what is alike stays as it was.
    pub(super) fn order(self, cases: &mut [Case]) {
        match self {
            // They are read in this order.
            Self::Priority => {}
            // What is not assessed has no deadline, and comes last.
            Self::Deadline => {
                cases.sort_by_key(|case| case.rank.as_ref().map_or((true, None), |r| (false, Some(r.deadline))));
            }
            Self::AtStake => cases.sort_by_key(|case| Reverse(case.rank.as_ref().map(|rank| rank.at_stake.minor))),
            Self::Newest => cases.sort_by_key(|case| Reverse(case.opened_at)),
        }
    }
}

impl About {
    /// Does it ask for nothing but what the store has an index for?
    pub(super) fn is_indexed(&self) -> bool {
        *self == Self { subject: self.subject.clone(), ..Self::default() }
    }

    /// Does it ask for words, so that names have to be read?
    pub(super) fn has_words(&self) -> bool {
        !self.words.is_empty()
    }

    /// Is the case one of those?
    pub(super) fn fits(&self, case: &Case, names: &Names) -> bool {
        let subject = &case.subject;
        let owner = case.owner.as_ref().map_or(NOBODY, |owner| owner.as_str());
        self.subject.fits(subject)
            && self.owner.as_deref().is_none_or(|asked| asked == owner)
            && (self.words.is_empty() || self.says(case, subject, names))
    }

    fn says(&self, case: &Case, subject: &Subject, names: &Names) -> bool {
        let mut text = format!("{} {} {}", case.id, case.headline, names.subject(subject));
        for code in &case.codes {
            text.push(' ');
            text.push_str(code.code());
        }
        let text = text.to_lowercase();
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exception::ExceptionType as T;
    use crate::domain::ids::{ItemId, LocationId, PersonId, SupplierId};
    use crate::store::testing::{at, case_of};

    #[test]
    fn a_filter_reads_back_from_its_link() {
        let query = "state=all&type=R-SHORT&supplier=9&owner=-&text=caf%C3%A9+%26+%3Cb%3E&sort=deadline&page=3";
        let filter = Filter::of_query(query);
        assert_eq!((filter.query(), filter.page(), filter.exception()), (query.to_owned(), 3, Some(T::RShort)));
        assert_eq!(filter.at_page(1), format!("/?{}", query.strip_suffix("&page=3").unwrap()));
        assert_eq!(Filter::of_query("other=1&page=0&sort=up&type=X").at_page(1), "/?type=X&sort=up");
        assert_eq!(Filter::of_query("").at_page(1), "/");
        assert!(Filter::of_query(&format!("text={}", "x".repeat(5_000))).query().len() < 200);
    }

    #[test]
    fn a_case_is_found_by_what_it_is_about_and_by_words_in_any_order() {
        let (mut case, _) = case_of("case-1", &[T::RShort], 100);
        case.subject =
            Subject { supplier: Some(SupplierId::new("9")), ..Subject::at(&ItemId::new("75"), &LocationId::new("3")) };
        case.headline = "40 of 100 units did not come".into();
        let names = Names::default();
        let fits = |query: &str, case: &Case| Filter::of_query(query).about().fits(case, &names);
        for query in [
            "",
            "supplier=9",
            "place=3&item=75",
            "owner=-",
            "text=COME+40",
            "text=r-short",
            "text=case-1",
            "text=location+3",
        ] {
            assert!(fits(query, &case), "{query}");
        }
        for query in ["supplier=10", "place=75", "item=3", "owner=ari", "text=come+41", "supplier=9&text=late"] {
            assert!(!fits(query, &case), "{query}");
        }
        case.owner = Some(PersonId::new("ari"));
        assert!(fits("owner=ari", &case) && !fits("owner=-", &case));
    }

    #[test]
    fn orders_put_what_is_not_assessed_last() {
        let cases = |unranked: usize| -> Vec<Case> {
            let each = (0..3).map(|n| {
                let (mut case, _) = case_of(&format!("case-{n}"), &[T::RShort], 100 * (n as i64 + 1));
                case.opened_at = at(n as i64);
                if let Some(rank) = &mut case.rank {
                    rank.deadline = rank.deadline.checked_sub(jiff::Span::new().days(n as i64)).unwrap();
                }
                case.rank = case.rank.filter(|_| n != unranked);
                case
            });
            each.collect()
        };
        let order = |sort: Sort, unranked| {
            let mut all = cases(unranked);
            sort.order(&mut all);
            all.iter().map(|case| case.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(order(Sort::Priority, 1), ["case-0", "case-1", "case-2"]);
        assert_eq!(order(Sort::Deadline, 1), ["case-2", "case-0", "case-1"]);
        assert_eq!(order(Sort::AtStake, 2), ["case-1", "case-0", "case-2"]);
        assert_eq!(order(Sort::Newest, 1), ["case-2", "case-1", "case-0"]);
    }
}
