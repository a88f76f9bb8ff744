//! Modes: what is live, what is only watched (shadow), and what is off, by scope.
//!
//! A scope names a category, a location, a supplier or a type of exception, or several of them: then all must fit. A rule that
//! names something beats the default; of several that fit the one that names more counts, and of those the most careful one.
//! Names are compared without regard to case, and a part of a path stands for what is below it.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::exception::ExceptionType;

/// What is done with exceptions of a scope, the most careful first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing: they are not opened.
    Off,
    /// They are detected, judged and drafted, and nobody is told or asked.
    Shadow,
    /// They are put before people.
    #[default]
    Live,
}

impl Mode {
    /// Every mode, the most careful first.
    pub const ALL: [Self; 3] = [Self::Off, Self::Shadow, Self::Live];

    /// The name in the store, in commands and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::Live => "live",
        }
    }

    /// Is it put before people? What is kept says a mode only where it is another.
    pub fn is_live(&self) -> bool {
        *self == Self::Live
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no mode; use off, shadow or live")]
pub struct UnknownMode(pub String);

impl FromStr for Mode {
    type Err = UnknownMode;
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.name() == text).ok_or_else(|| UnknownMode(text.to_owned()))
    }
}

/// What a rule is about: everything that it names must fit. One that names nothing is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeScope {
    /// An item category, or a part of its path: `Drinks` holds `Food / Drinks / Soft drinks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// A location by id, code or name, or a region: the name of the company that locations belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// A supplier by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// A type of exception.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ExceptionType>,
}

/// A part of a scope that can not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no scope; use all, category=NAME, location=NAME, supplier=NAME or type=CODE, several of them for what is within all"
)]
pub struct BadScope(pub String);

impl ModeScope {
    /// Longest name, in characters: names of the ERP are short.
    const NAME_CHARS: usize = 200;

    /// Reads parts such as `category=Drinks`, each named once; none, or `all`, is the default.
    ///
    /// # Errors
    /// Names the part that can not be read.
    pub fn read<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadScope> {
        let mut scope = Self::default();
        for part in parts.into_iter().filter(|part| *part != "all") {
            let bad = || BadScope(part.to_owned());
            let (what, name) = part.split_once('=').ok_or_else(bad)?;
            let name = name.trim();
            if name.is_empty() || name.chars().count() > Self::NAME_CHARS || name.chars().any(char::is_control) {
                return Err(bad());
            }
            let place = match what.trim() {
                "category" => &mut scope.category,
                "location" => &mut scope.location,
                "supplier" => &mut scope.supplier,
                // Types are a closed list, so a mistyped one is told at once. Other names are the ERP's and are looked for
                // later.
                "type" if scope.code.is_none() => {
                    scope.code = Some(name.parse().map_err(|_| bad())?);
                    continue;
                }
                _ => return Err(bad()),
            };
            if place.replace(name.to_owned()).is_some() {
                return Err(bad());
            }
        }
        Ok(scope)
    }

    /// How many things it names.
    pub fn names(&self) -> usize {
        let named = [self.category.is_some(), self.location.is_some(), self.supplier.is_some(), self.code.is_some()];
        named.into_iter().filter(|named| *named).count()
    }

    /// Is an exception within? What lies in several places, or comes from several suppliers, is within where all of them are;
    /// what is not known of it is not.
    pub fn holds(&self, at: &Whereabouts) -> bool {
        let fits = |names: &[Vec<String>], name: &str| {
            !names.is_empty() && names.iter().all(|called| called.iter().any(|own| is_within(own, name)))
        };
        self.category.as_ref().is_none_or(|name| at.category.as_ref().is_some_and(|own| is_within(own, name)))
            && self.location.as_ref().is_none_or(|name| fits(&at.locations, name))
            && self.supplier.as_ref().is_none_or(|name| fits(&at.suppliers, name))
            && self.code.is_none_or(|code| code == at.code)
    }

    /// Does it say the same as `other`?
    pub fn is(&self, other: &Self) -> bool {
        self.is_around(other) && other.is_around(self)
    }

    /// Could anything be within both? Not where both name another category or type. A place and a supplier have several names, so
    /// these never tell two scopes apart.
    pub fn may_meet(&self, other: &Self) -> bool {
        let apart = |own: &Option<String>, other: &Option<String>| match (own, other) {
            (Some(own), Some(other)) => !is_within(own, other) && !is_within(other, own),
            _ => false,
        };
        !apart(&self.category, &other.category) && (self.code.is_none() || other.code.is_none() || self.code == other.code)
    }

    /// Is everything that it names named by `other` too?
    fn is_around(&self, other: &Self) -> bool {
        let same = |own: &Option<String>, other: &Option<String>| {
            own.as_ref().is_none_or(|own| other.as_ref().is_some_and(|other| folded(own) == folded(other)))
        };
        same(&self.category, &other.category)
            && same(&self.location, &other.location)
            && same(&self.supplier, &other.supplier)
            && self.code.is_none_or(|code| other.code == Some(code))
    }
}

impl fmt::Display for ModeScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |what, name: &Option<String>| name.as_ref().map(|name| format!("{what}={name}"));
        let parts = [
            text("category", &self.category),
            text("location", &self.location),
            text("supplier", &self.supplier),
            self.code.map(|code| format!("type={code}")),
        ];
        let named: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if named.is_empty() { "all" } else { "" })?;
        f.write_str(&named.join(", "))
    }
}

/// Where an exception is, by every name that it can be called by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The category of its item, where it has one.
    pub category: Option<String>,
    /// Its places, each by its names.
    pub locations: Vec<Vec<String>>,
    /// Its suppliers, each by its names.
    pub suppliers: Vec<Vec<String>>,
    /// What it is.
    pub code: ExceptionType,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeRule {
    /// About what.
    pub scope: ModeScope,
    /// What is done with it.
    pub mode: Mode,
}

/// All rules that are in force. Of one scope there is one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// What is done with whatever no rule names.
    pub default: Mode,
    /// The rules.
    pub rules: Vec<ModeRule>,
}

impl Modes {
    /// What is done with an exception.
    pub fn of(&self, at: &Whereabouts) -> Mode {
        self.best(|scope| scope.holds(at))
    }

    /// What is done with a scope as a whole: by its own rule, or by one that is about more.
    pub fn of_scope(&self, scope: &ModeScope) -> Mode {
        self.best(|rule| rule.is_around(scope))
    }

    /// Is everything live? Then nobody needs to ask for each exception.
    pub fn are_all_live(&self) -> bool {
        self.default.is_live() && self.rules.iter().all(|rule| rule.mode.is_live())
    }

    /// Puts a rule in the place of the one about the same scope, or beside the others; the default where it names nothing.
    pub fn put(&mut self, rule: ModeRule) {
        if rule.scope.names() == 0 {
            self.default = rule.mode;
            return;
        }
        self.rules.retain(|old| !old.scope.is(&rule.scope));
        self.rules.push(rule);
    }

    fn best(&self, fits: impl Fn(&ModeScope) -> bool) -> Mode {
        let fitting = self.rules.iter().filter(|rule| fits(&rule.scope));
        fitting.max_by_key(|rule| (rule.scope.names(), Reverse(rule.mode))).map_or(self.default, |rule| rule.mode)
    }
}

/// Is `name` what something is called, or a part of its path?
pub fn is_within(own: &str, name: &str) -> bool {
    let parts = |text: &str| text.split('/').map(folded).collect::<Vec<_>>();
    let (own, name) = (parts(own), parts(name));
    own.windows(name.len()).any(|part| part == name)
}

/// A name as it is compared.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(parts: &[&str], mode: Mode) -> ModeRule {
        ModeRule { scope: ModeScope::read(parts.iter().copied()).unwrap(), mode }
    }

    fn at(category: &str, locations: &[&str]) -> Whereabouts {
        Whereabouts {
            category: Some(category.to_owned()),
            locations: locations.iter().map(|name| vec!["7".to_owned(), (*name).to_owned()]).collect(),
            suppliers: Vec::new(),
            code: ExceptionType::RShort,
        }
    }

    #[test]
    fn what_names_more_counts_and_of_equals_the_most_careful() {
        let mut modes = Modes { default: Mode::Shadow, rules: Vec::new() };
        let drinks = at("Food / Drinks / Soft", &["North"]);
        assert_eq!(modes.of(&drinks), Mode::Shadow);
        modes.put(rule(&["category=drinks"], Mode::Live));
        assert_eq!(modes.of(&drinks), Mode::Live, "what names something beats the default");
        modes.put(rule(&["location=NORTH"], Mode::Off));
        assert_eq!(modes.of(&drinks), Mode::Off, "of equals the most careful");
        modes.put(rule(&["location=North", "type=R-SHORT"], Mode::Live));
        assert_eq!(modes.of(&drinks), Mode::Live, "what names more");
        assert_eq!(modes.of(&at("Food / Drinks", &["South"])), Mode::Live);
        assert_eq!(modes.of(&at("Tools", &["South"])), Mode::Shadow);
        modes.put(rule(&["Category = Drinks".to_lowercase().as_str()], Mode::Off));
        assert_eq!(modes.rules.len(), 3, "one rule of one scope");
    }

    #[test]
    fn what_lies_in_several_places_is_within_where_all_of_them_are() {
        let north = rule(&["location=North"], Mode::Live).scope;
        assert!(north.holds(&at("Tools", &["North"])));
        assert!(!north.holds(&at("Tools", &["North", "South"])));
        assert!(!north.holds(&at("Tools", &[])), "what is not known is not within");
        assert!(rule(&["location=7"], Mode::Live).scope.holds(&at("Tools", &["North", "South"])));
        assert!(
            !rule(&["category=Tool"], Mode::Live).scope.holds(&at("Tools", &[])),
            "a part of a name is no part of a path"
        );
    }

    #[test]
    fn a_scope_has_the_mode_of_what_is_around_it() {
        let mut modes = Modes::default();
        let both = ModeScope::read(["category=Drinks", "location=North"]).unwrap();
        assert_eq!(modes.of_scope(&both), Mode::Live);
        modes.put(rule(&["category=DRINKS"], Mode::Shadow));
        assert_eq!(modes.of_scope(&both), Mode::Shadow);
        modes.put(ModeRule { scope: both.clone(), mode: Mode::Live });
        assert_eq!(modes.of_scope(&both), Mode::Live);
        assert_eq!(modes.of_scope(&ModeScope::default()), Mode::Live);
        modes.put(ModeRule { scope: ModeScope::default(), mode: Mode::Off });
        assert_eq!((modes.default, modes.rules.len(), modes.are_all_live()), (Mode::Off, 2, false));
    }

    #[test]
    fn scopes_read_back_and_nonsense_is_refused() {
        let scope = ModeScope::read(["type=R-SHORT", "location=North / Yard"]).unwrap();
        assert_eq!(scope.to_string(), "location=North / Yard, type=R-SHORT");
        assert_eq!(ModeScope::read(["all"]).unwrap().to_string(), "all");
        for bad in
            [&["drinks"][..], &["item=7"], &["category="], &["type=X"], &["category=A", "category=B"], &["supplier=\n"]]
        {
            assert!(ModeScope::read(bad.iter().copied()).is_err(), "{bad:?}");
        }
        assert_eq!("shadow".parse(), Ok(Mode::Shadow));
        assert!("on".parse::<Mode>().is_err());
    }
}
