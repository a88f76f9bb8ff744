//! Working days as a configuration writes them: `"mon-fri"` for all locations, `"DC=mon-sat"` for one.

use serde::{Deserialize, Deserializer};

use super::places::ByLocation;
use reeve_domain::book::Book;
use reeve_domain::ids::LocationId;
use reeve_domain::record::Location;
use reeve_domain::working::Weekdays;

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The weekdays on which locations work, where the configuration says them.
#[derive(Clone, Debug, Default)]
pub struct WorkingDays {
    all: Option<Weekdays>,
    at: ByLocation<Weekdays>,
}

impl WorkingDays {
    /// Those of a location, if they are said.
    pub fn of(&self, book: &Book, location: &LocationId) -> Option<&Weekdays> {
        self.at.of(book, location).or(self.all.as_ref())
    }

    pub(super) fn unclear(&self, locations: &[Location]) -> Vec<(String, String)> {
        self.at.unclear(&locations.iter())
    }

    fn read(entries: &[String]) -> Result<Self, String> {
        let mut read = Self::default();
        for entry in entries {
            match entry.split_once('=') {
                Some((code, days)) => {
                    read.at.entry(code).insert_entry(weekdays(days)?);
                }
                None => read.all = Some(weekdays(entry)?),
            }
        }
        Ok(read)
    }
}

/// `mon-fri`, `mon wed fri`, `sat-mon`.
fn weekdays(text: &str) -> Result<Weekdays, String> {
    let bad = || format!("{text:?} is no list of weekdays such as \"mon-fri\" or \"DC=mon wed sat\"");
    let number = |name: &str| NAMES.iter().position(|known| *known == name.trim().to_lowercase()).ok_or_else(bad);
    let mut days = Weekdays::new();
    for part in text.split_whitespace() {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (number(from)?, number(to)?);
        // Around the end of the week too.
        let last = if to < from { to + 7 } else { to };
        days.extend((from..=last).map(|day| (day % 7) as i8));
    }
    if days.is_empty() { Err(bad()) } else { Ok(days) }
}

impl<'de> Deserialize<'de> for WorkingDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<String>::deserialize(deserializer)?;
        Self::read(&entries).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::record::Record;

    #[test]
    fn one_location_may_have_its_own_days() {
        let days = WorkingDays::read(&["mon-fri".into(), "DC = sat-mon wed".into()]).unwrap();
        let location = |code: &str| reeve_testing::records::location(code, code);
        let records = ["MKT", "DC"].map(|code| Record::Location(location(code)));
        let book = Book::new(jiff::Timestamp::UNIX_EPOCH, Calendar::utc(), records);
        assert_eq!(days.of(&book, &LocationId::new("MKT")), Some(&Weekdays::from([0, 1, 2, 3, 4])));
        assert_eq!(days.of(&book, &LocationId::new("DC")), Some(&Weekdays::from([0, 2, 5, 6])));
        assert_eq!(WorkingDays::read(&[]).unwrap().of(&book, &LocationId::new("DC")), None);
        for bad in ["", "mon-", "weekdays", "DC="] {
            assert!(WorkingDays::read(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
