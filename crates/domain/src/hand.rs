//! Whose hand a click could have been: what a pair of signatures is worth depends on it.
//!
//! Whoever may start Reeve's commands at its machine can give any name with them: directly (`--as ari`), or by making a
//! sign-in link or a token in a name and using it. So what takes two people is looked at by hands, not by names alone.

use std::collections::BTreeSet;

/// How whoever clicked came to the name that they clicked under.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "hand", content = "user", rename_all = "snake_case")]
pub enum Hand {
    /// They proved to be the person in a way that no command at the machine can give away. In a demo, where all people are
    /// made up, whoever tries it counts as each of them.
    Own,
    /// A command gave the name. `user` is the operating system's user who started it, in words.
    Command(String),
    /// They came with a sign-in link or a token that a command made. `user` as above; empty where that is not known.
    MadeByCommand(String),
}

impl Hand {
    /// The short word that is kept for it beside what it did, and that [`Self::read`] reads: `own`, `command USER`,
    /// `made by command USER`.
    pub fn recorded(&self) -> String {
        match self {
            Self::Own => "own".to_owned(),
            Self::Command(user) => format!("command {user}"),
            Self::MadeByCommand(user) => format!("made by command {user}"),
        }
    }

    /// The hand that was kept as `text`; None for what this program never wrote.
    pub fn read(text: &str) -> Option<Self> {
        if text == "own" {
            return Some(Self::Own);
        }
        let made = text.strip_prefix("made by command ").map(|user| Self::MadeByCommand(user.to_owned()));
        made.or_else(|| text.strip_prefix("command ").map(|user| Self::Command(user.to_owned())))
    }

    /// The operating system's user behind it, where a command is.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Own => None,
            Self::Command(user) | Self::MadeByCommand(user) => Some(user),
        }
    }
}

/// Could two steps that take two people have been one person's? None is a step of which it is not known how it came: it counts
/// as one that anybody could have done.
///
/// Two direct commands always could: one person may have the use of two accounts at the machine, and nobody had to sign in.
/// With a link or a token in it, it takes the same user of the machine at both ends, or one that is not known.
pub fn could_be_one(first: Option<&Hand>, second: &Hand) -> bool {
    match (first, second) {
        (_, Hand::Own) | (Some(Hand::Own), _) => false,
        (None, _) | (Some(Hand::Command(_)), Hand::Command(_)) => true,
        (Some(Hand::Command(one) | Hand::MadeByCommand(one)), Hand::Command(other) | Hand::MadeByCommand(other)) => {
            could_be_one_user(one, other)
        }
    }
}

/// Do two descriptions such as "root (uid 0), logged in as ada (uid 1000)" have a user in common? Where both say who logged in,
/// that decides: two people may act as one service's user. Who is not told by number could be anybody.
fn could_be_one_user(one: &str, other: &str) -> bool {
    if let (Some((_, one)), Some((_, other))) = (one.split_once(LOGGED_IN), other.split_once(LOGGED_IN)) {
        return could_be_one_user(one, other);
    }
    let (one, other) = (numbers(one), numbers(other));
    one.is_empty() || other.is_empty() || !one.is_disjoint(&other)
}

/// What stands before whoever logged in, where they act as another user.
pub const LOGGED_IN: &str = ", logged in as ";

/// The numbers of users that a description names.
fn numbers(text: &str) -> BTreeSet<u32> {
    text.split("uid ").skip(1).filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_hand_is_read_back() {
        for hand in [Hand::Own, Hand::Command("eve (uid 7)".into()), Hand::MadeByCommand(String::new())] {
            assert_eq!(Hand::read(&hand.recorded()), Some(hand));
        }
        for text in ["", "web", "Own", "made by"] {
            assert_eq!(Hand::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn one_user_of_the_machine_is_one_hand_whatever_names_they_give() {
        let command = |user: &str| Hand::Command(user.to_owned());
        let made = |user: &str| Hand::MadeByCommand(user.to_owned());
        let (eve, fay, root) = ("eve (uid 1001)", "fay (uid 1002)", "root (uid 0), logged in as eve (uid 1001)");
        let fay_as_root = "root (uid 0), logged in as fay (uid 1002)";
        for (first, second, could) in [
            (Some(command(eve)), command(eve), true),
            (Some(command(eve)), command(fay), true),
            (Some(command(eve)), made(eve), true),
            (Some(made(eve)), command(eve), true),
            (Some(made(eve)), made(eve), true),
            (Some(made(eve)), made(root), true),
            (Some(made(root)), made(fay_as_root), false),
            (Some(made(root)), made("root (uid 0)"), true),
            (Some(made("reeve (uid 9), logged in as uid 7")), made("reeve (uid 9), logged in as uid 8"), false),
            (Some(command(eve)), made(fay), false),
            (Some(made(eve)), made(fay), false),
            (Some(made(eve)), made("unknown"), true),
            (Some(made("")), made(fay), true),
            (Some(made("uid 10")), made("uid 1"), false),
            (None, command(eve), true),
            (None, made(eve), true),
            (None, Hand::Own, false),
            (Some(Hand::Own), Hand::Own, false),
            (Some(Hand::Own), made(eve), false),
            (Some(Hand::Own), command(eve), false),
            (Some(command(eve)), Hand::Own, false),
        ] {
            assert_eq!(could_be_one(first.as_ref(), &second), could, "{first:?} then {second:?}");
        }
    }
}
