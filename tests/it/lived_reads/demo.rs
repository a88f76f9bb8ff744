//! The demo in every part of the world: its hour follows its calendar.

use crate::support::binary::reeve;

#[test]
fn the_demo_makes_its_digest_in_every_zone() {
    let home = tempfile::tempdir().expect("a folder");
    for (zone, day, read_up_to) in [
        ("Asia/Tokyo", "2026-11-01", "2026-10-31 21:00 UTC"),
        ("Australia/Sydney", "2026-11-01", "2026-10-31 19:00 UTC"),
        ("Pacific/Auckland", "2026-11-01", "2026-10-31 17:00 UTC"),
        ("Pacific/Kiritimati", "2026-11-01", "2026-10-31 16:00 UTC"),
        ("America/Los_Angeles", "2026-10-31", "2026-10-31 15:30 UTC"),
    ] {
        let folder = home.path().join(zone.replace('/', "-"));
        let folder = folder.to_str().expect("it is UTF-8");
        let environment = [("REEVE_CALENDAR__TIMEZONE", zone)];
        let ended = reeve(&["demo", "--once", "--dir", folder], &environment);
        assert_eq!(ended.code, Some(0), "{zone}: {ended:?}");
        assert!(ended.out.starts_with(&format!("Reeve, {day}: ")), "{zone}: {}", ended.out);
        assert!(ended.out.contains(read_up_to), "{zone}: {}", ended.out);
        assert!(!ended.out.contains("Not in it"), "{zone}: {}", ended.out);
    }
}
