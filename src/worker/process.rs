//! This process as others on the store know it, and whether another one on the same machine still lives.

use std::fs::{read_link, read_to_string};
use std::sync::LazyLock;

use crate::store::Process;

/// This process.
static OWN: LazyLock<Process> = LazyLock::new(|| {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system has randomness, or two processes could not be told apart");
    let pid = std::process::id();
    Process { id: hex::encode(bytes), host: host(), pid, mark: mark(pid).unwrap_or_default() }
});

/// This process.
pub(super) fn own() -> &'static Process {
    &OWN
}

/// What the machine is called.
fn host() -> String {
    let name = read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "an unnamed machine".to_owned(),
        name => name.to_owned(),
    }
}

/// Is it known that `other` has ended? Only where both are processes of one running system that see each other (of one container,
/// or none): elsewhere the same number may be another's, and one that is silent may still live.
pub(super) fn is_dead(other: &Process) -> bool {
    let place = |mark: &str| mark.rsplit_once(' ').map(|(place, _)| place.to_owned());
    let (Some(theirs), Some(ours)) = (place(&other.mark), place(&OWN.mark)) else { return false };
    theirs == ours && mark(other.pid).as_deref() != Some(other.mark.as_str())
}

/// The running system, the processes that see each other there, and when the process `pid` of them began: numbers are given
/// out again, the beginning with them is not. None where there is none such, or it has ended and is only still listed.
fn mark(pid: u32) -> Option<String> {
    let boot = read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let sight = read_link("/proc/self/ns/pid").ok()?;
    let began = began(&read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    Some(format!("{} {} {began}", boot.trim(), sight.display()))
}

/// When it began, in ticks since the system did. The program's name stands in brackets and may hold anything.
fn began(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") { None } else { fields.nth(18)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_of_a_process_is_read() {
        let stat = |state: &str| format!("7 (a) b (c)) {state} 1 7 7 0 -1 4194560 900 0 0 0 151 49 0 0 20 0 4 0 4711 1 1");
        assert_eq!(began(&stat("S")), Some(4711));
        assert_eq!(began(&stat("Z")), None, "it has ended");
        assert_eq!(began("7 (a) S 1"), None);
    }

    #[test]
    fn only_who_is_known_to_have_ended_is_dead() {
        let own = own();
        assert!(own.pid > 0 && !own.host.is_empty());
        if own.mark.is_empty() {
            return; // a system that says nothing of processes: nobody is known to be dead there
        }
        assert!(!is_dead(own));
        let (place, began) = own.mark.rsplit_once(' ').unwrap();
        let earlier = Process { mark: format!("{place} {began}0"), ..own.clone() };
        assert!(is_dead(&earlier), "its number was given to another one");
        for elsewhere in [String::new(), format!("another {began}0")] {
            assert!(!is_dead(&Process { mark: elsewhere, ..own.clone() }));
        }
    }
}
