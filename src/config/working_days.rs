//! Working days as a configuration writes them: `"mon-fri"` for all locations, `"DC=mon-sat"` for one.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::domain::working::Weekdays;

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The weekdays on which locations work, where the configuration says them.
#[derive(Clone, Debug, Default)]
pub struct WorkingDays {
    all: Option<Weekdays>,
    by_code: BTreeMap<String, Weekdays>,
}

impl WorkingDays {
    /// Those of the location with this code, if they are said.
    pub fn of(&self, code: &str) -> Option<&Weekdays> {
        self.by_code.get(code).or(self.all.as_ref())
    }

    fn read(entries: &[String]) -> Result<Self, String> {
        let mut read = Self::default();
        for entry in entries {
            match entry.split_once('=') {
                Some((code, days)) => {
                    read.by_code.insert(code.trim().to_owned(), weekdays(days)?);
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

    #[test]
    fn one_location_may_have_its_own_days() {
        let days = WorkingDays::read(&["mon-fri".into(), "DC = sat-mon wed".into()]).unwrap();
        assert_eq!(days.of("MKT"), Some(&Weekdays::from([0, 1, 2, 3, 4])));
        assert_eq!(days.of("DC"), Some(&Weekdays::from([0, 2, 5, 6])));
        assert_eq!(WorkingDays::read(&[]).unwrap().of("DC"), None);
        for bad in ["", "mon-", "weekdays", "DC="] {
            assert!(WorkingDays::read(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
