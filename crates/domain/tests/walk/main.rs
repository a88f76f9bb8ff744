//! Random walks of eight actors over a case and its recommendations, held against a reference after every step.
//!
//! Two hundred thousand steps here; `cargo run --release -p reeve-domain --example walk -- --steps 10000000` for more.

mod reference;
mod world;

#[test]
fn nothing_that_eight_actors_do_parts_the_life_cycles_from_the_reference() {
    let report = world::walk(200_000, 1);
    assert_eq!(report.missed(), Vec::<String>::new(), "never met");
    let happened =
        (report.steps, report.worlds, report.written, report.refused, report.stale, report.approved, report.handed_off);
    assert!(
        report.approved > 500 && report.handed_off > 300 && report.not_sent > 100 && report.stale > 5_000,
        "too little: {happened:?}"
    );
}

#[test]
fn the_same_seed_walks_the_same_way() {
    let (one, same, other) = (world::walk(5_000, 7), world::walk(5_000, 7), world::walk(5_000, 8));
    assert_eq!((one.pairs.clone(), one.written), (same.pairs, same.written));
    assert_ne!(one.pairs, other.pairs);
}
