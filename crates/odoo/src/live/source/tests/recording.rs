//! Rows in a mirror give the same records as the recording that they come from.

use super::*;

#[tokio::test]
async fn rows_in_the_mirror_give_the_same_records_as_the_recording_they_come_from() {
    let recorded = Recorded::open(&folder(), "USD").unwrap();
    let page = Source::read(&recorded, None, Timestamp::MAX, usize::MAX).await.unwrap();
    let mut last: BTreeMap<RecordRef, Record> = page.observed.into_iter().map(|o| (o.record.key(), o.record)).collect();
    let mut world = World::bundled();
    world.read(1000).await;
    assert_eq!(last.keys().collect::<Vec<_>>(), world.records.keys().collect::<Vec<_>>());
    let mut other_costs = 0;
    for (key, record) in &mut last {
        let live = &world.records[key];
        match (&mut *record, live) {
            // The recording follows the valuation to two decimals, a live server tells the product's cost of today.
            (Record::Item(a), Record::Item(b)) => {
                other_costs += usize::from(a.cost != b.cost);
                let (Some(ours), Some(theirs)) = (a.cost, b.cost) else { panic!("{key} has no cost") };
                assert!((ours.to_f64() - theirs.to_f64()).abs() < 0.011, "{key}: {ours} {theirs}");
                a.cost = b.cost;
            }
            // References in the mirror are bare: the list's own name stands for the one in the reference.
            (Record::Promotion(a), Record::Promotion(b)) => a.name.clone_from(&b.name),
            _ => {}
        }
        assert_eq!(record, live);
    }
    assert!(other_costs <= 20, "{other_costs} items have another cost");
    assert_eq!(world.source.gaps().await.unwrap(), []);
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_and_a_page_that_was_lost_is_told_again() {
    let mut whole = World::bundled();
    whole.read(usize::MAX).await;
    let mut small = World::bundled();
    // The first page is lost: nobody stores what it says.
    small.source.read(None, at(100_000), 37).await.unwrap();
    small.read(37).await;
    assert!(small.records == whole.records);
    assert_eq!(small.read(37).await, []);
}

#[tokio::test]
async fn nothing_newer_than_asked_is_told() {
    let mut world = World::bundled();
    world.put("purchase.order", &row_of("purchase.order", 51));
    let page = world.source.read(None, at(-1), 10).await.unwrap();
    assert_eq!((page.observed.len(), page.more), (0, false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn the_order_in_which_rows_came_does_not_matter(seed in any::<u64>(), limit in 50_usize..4000) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut plain = World::bundled();
            let mut state = seed;
            let mut order = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 20
            };
            let mut shuffled = World::of(Arc::new(plain.mirror.shuffled(&mut order)), vec![], "USD");
            plain.read(5000).await;
            shuffled.read(limit).await;
            assert!(plain.records == shuffled.records);
        });
    }
}
