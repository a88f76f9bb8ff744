//! Who sits at the machine, as its operating system knows them: what is done by command is logged with this name, whatever
//! name the command was given.
//!
//! The system is asked, not the environment: variables such as USER are whatever their owner wants them to be. It proves
//! nothing about people who share an account.

use std::fs::{metadata, read_to_string};
use std::os::unix::fs::MetadataExt as _;

use crate::domain::hand::LOGGED_IN;

/// What Linux says where nobody logged in: a service, a container.
const NOBODY_LOGGED_IN: u32 = u32::MAX;

/// "ada (uid 1000)"; who became another user is told as well: "root (uid 0), logged in as ada (uid 1000)".
pub(super) fn os_user() -> String {
    let read = |path: &str| read_to_string(path).unwrap_or_default();
    // In a user namespace of their own anybody has any number.
    let acting = metadata("/proc/self").ok().map(|own| own.uid()).filter(|_| is_everybodys(&read("/proc/self/uid_map")));
    let logged_in = read("/proc/self/loginuid").trim().parse().ok();
    told(acting, logged_in, &read("/etc/passwd"))
}

/// Does this map of users (from, to, how many) give every user the number that the machine knows them by?
fn is_everybodys(map: &str) -> bool {
    map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
}

fn told(acting: Option<u32>, logged_in: Option<u32>, passwd: &str) -> String {
    let Some(acting) = acting else { return "unknown".to_owned() };
    // Whoever became another user of the machine counts as both (decision 49).
    match logged_in.filter(|uid| *uid != NOBODY_LOGGED_IN && *uid != acting) {
        Some(uid) => format!("{}{LOGGED_IN}{}", named(acting, passwd), named(uid, passwd)),
        None => named(acting, passwd),
    }
}

/// The name of a user; without one in the local list (a directory has more) only their number.
fn named(uid: u32, passwd: &str) -> String {
    let is_theirs = |line: &&str| line.split(':').nth(2).and_then(|id| id.parse().ok()) == Some(uid);
    let name = passwd.lines().find(is_theirs).and_then(|line| line.split(':').next());
    name.map_or_else(|| format!("uid {uid}"), |name| format!("{name} (uid {uid})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# broken\nada:x:1000:1000::/home/ada:/bin/sh\n";

    #[test]
    fn whoever_became_another_user_is_told_as_both() {
        for (acting, logged_in, expected) in [
            (Some(1000), Some(1000), "ada (uid 1000)"),
            (Some(1000), Some(NOBODY_LOGGED_IN), "ada (uid 1000)"),
            (Some(1000), None, "ada (uid 1000)"),
            (Some(0), Some(1000), "root (uid 0), logged in as ada (uid 1000)"),
            (Some(0), Some(7), "root (uid 0), logged in as uid 7"),
            (Some(100), None, "uid 100"),
            (None, Some(1000), "unknown"),
        ] {
            assert_eq!(told(acting, logged_in, PASSWD), expected);
        }
        assert_ne!(os_user(), "");
        assert!(is_everybodys("         0          0 4294967295\n"));
        for own in ["", "      1002       1001          1\n", "0 0 4294967295\n1 1 1\n", "0 1000 65536"] {
            assert!(!is_everybodys(own), "{own:?}");
        }
    }
}
