//! What is configured for single locations, each by its short code: `CODE`, or `Company/CODE` where companies have the same.

use std::collections::BTreeMap;

use reeve_domain::book::Book;
use reeve_domain::ids::LocationId;
use reeve_domain::record::Location;

/// Values by a location's name in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ByLocation<T>(BTreeMap<String, T>);

impl<T> Default for ByLocation<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> ByLocation<T> {
    /// The slot of a name.
    pub(super) fn entry(&mut self, name: &str) -> std::collections::btree_map::Entry<'_, String, T> {
        self.0.entry(name.trim().to_owned())
    }

    /// What is said of a location. What names its company goes first; a code that locations of several companies have means
    /// none of them ([`Self::unclear`] says so).
    pub(super) fn of(&self, book: &Book, location: &LocationId) -> Option<&T> {
        let at = book.locations.get(location)?;
        let of_company = self.0.iter().find(|(name, _)| at.is_named_with_company(name)).map(|(_, value)| value);
        of_company.or_else(|| self.0.get(&at.code).filter(|_| with_code(book.locations.values(), &at.code).len() == 1))
    }

    /// The names that mean no location or several, with why. Nothing is said while no location is known.
    pub(super) fn unclear<'l>(&self, locations: &(impl Iterator<Item = &'l Location> + Clone)) -> Vec<(String, String)> {
        let why = |name: &String| {
            let of_code = with_code(locations.clone(), name);
            if of_code.len() > 1 {
                let company = |l: &Location| match (l.company_name.trim(), &l.company) {
                    ("", Some(id)) => id.clone(),
                    (name, _) => name.to_owned(),
                };
                let names: Vec<String> = of_code.iter().map(|l| format!("\"{}/{}\"", company(l), l.code)).collect();
                return Some(format!("{} locations have this code; write {}", of_code.len(), names.join(" or ")));
            }
            let known = !of_code.is_empty() || locations.clone().any(|l| l.is_named_with_company(name));
            (!known).then(|| "no location has this code".to_owned())
        };
        if locations.clone().next().is_none() {
            return Vec::new();
        }
        self.0.keys().filter_map(|name| Some((name.clone(), why(name)?))).collect()
    }
}

/// The locations with a code, in order.
fn with_code<'l>(locations: impl Iterator<Item = &'l Location>, code: &str) -> Vec<&'l Location> {
    locations.filter(|location| location.code == code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::record::Record;

    fn location(id: &str, code: &str, company: &str) -> Location {
        let (company, company_name) = (Some(company.to_lowercase()), company.into());
        Location { code: code.into(), company, company_name, ..reeve_testing::records::location(id, id) }
    }

    fn book() -> Book {
        let all = [location("1", "DC", "Alpha Ltd"), location("2", "DC", "Beta Ltd"), location("3", "MKT", "Beta Ltd")];
        Book::new("2026-11-06T12:00:00Z".parse().unwrap(), Calendar::utc(), all.map(Record::Location))
    }

    fn said(names: &[&str]) -> ByLocation<usize> {
        let mut said = ByLocation::default();
        for (at, name) in names.iter().enumerate() {
            said.entry(name).or_insert(at);
        }
        said
    }

    #[test]
    fn a_code_of_two_companies_means_none_until_the_company_is_named() {
        let book = book();
        let of = |said: &ByLocation<usize>| ["1", "2", "3"].map(|id| said.of(&book, &LocationId::new(id)).copied());
        assert_eq!(of(&said(&["DC", "MKT"])), [None, None, Some(1)]);
        assert_eq!(of(&said(&["alpha ltd/DC", "DC"])), [Some(0), None, None]);
        assert_eq!(of(&said(&["Alpha Ltd / DC", "Beta Ltd/DC", "Beta Ltd/MKT"])), [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn what_means_several_or_none_is_said_with_what_to_write() {
        let book = book();
        let unclear = |names: &[&str]| said(names).unclear(&book.locations.values());
        assert_eq!(
            unclear(&["DC", "MKT", "PAR", "Beta Ltd/DC"]),
            [
                ("DC".to_owned(), "2 locations have this code; write \"Alpha Ltd/DC\" or \"Beta Ltd/DC\"".to_owned()),
                ("PAR".to_owned(), "no location has this code".to_owned()),
            ]
        );
        assert_eq!(said(&["PAR"]).unclear(&[].iter()), [], "nothing was read yet");
    }
}
