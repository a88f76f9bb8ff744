//! What a channel offers and what there is: O-OVERSELL, O-SYNC.

use super::*;

/// Ten available at the store, where eight a day are wanted, unchanged for weeks.
fn web_shop() -> Shop {
    let mut shop = Shop::new();
    shop.stock("2", 10);
    shop.demand("2", 8.0);
    shop
}

#[test]
fn a_channel_that_offers_more_than_there_is_is_raised() {
    let mut shop = web_shop();
    shop.publish(50, ago(60));
    let signal = shop.must(T::OOversell);
    assert_eq!(signal.subject.key(), "i=1 l=2 d=Web shop");
    assert_eq!((value(&signal, "published"), value(&signal, "available@2")), (Some(&units(50)), Some(&units(10))));
    shop.must(T::OSync);
    let both = shop.cases().into_iter().find(|c| c.codes.contains(&T::OSync)).unwrap();
    assert_eq!(both.codes, [T::OOversell, T::OSync], "both are one case");
}

#[test]
fn a_channel_that_keeps_the_buffer_back_is_right() {
    let mut shop = web_shop();
    shop.publish(8, ago(60));
    shop.quiet(T::OOversell);
    shop.quiet(T::OSync);
    // Within the buffer it is a risk where a day's demand reaches that far, and only there.
    shop.publish(10, ago(50));
    shop.must(T::OOversell);
    shop.quiet(T::OSync);
    shop.stock("2", 500);
    shop.publish(510, ago(40));
    shop.quiet(T::OOversell);
    shop.quiet(T::OSync);
}

#[test]
fn a_channel_that_offers_too_little_has_drifted() {
    let mut shop = web_shop();
    shop.publish(0, ago(60));
    shop.quiet(T::OOversell);
    assert!(shop.must(T::OSync).headline.ends_with("10 too few."));
}

#[test]
fn the_usual_delay_of_a_synchronisation_is_no_difference() {
    let mut shop = web_shop();
    // Forty were sold ten minutes before the channel spoke.
    shop.stock("2", 40);
    shop.moved(MoveKind::Delivery, Some("2"), None, 40, Some(0)).created_at = ago(70);
    shop.publish(50, ago(60));
    shop.quiet(T::OOversell);
    shop.quiet(T::OSync);
    // It says the same again, still within the delay; then once more, after it.
    shop.publish(50, ago(45));
    shop.quiet(T::OSync);
    shop.publish(50, ago(20));
    shop.must(T::OOversell);
    shop.must(T::OSync);
}

#[test]
fn a_difference_must_have_been_there_when_each_word_was_said() {
    let mut shop = web_shop();
    shop.stock("2", 40);
    shop.moved(MoveKind::Delivery, Some("2"), None, 40, Some(0)).created_at = ago(30);
    shop.publish(50, ago(90));
    shop.publish(50, ago(25));
    shop.quiet(T::OSync);
}

#[test]
fn an_old_word_a_paused_feed_and_a_corrected_one_are_quiet() {
    let mut old = web_shop();
    old.publish(50, at(-2));
    old.quiet(T::OOversell);
    old.quiet(T::OSync);
    let mut corrected = web_shop();
    corrected.publish(50, ago(120));
    corrected.publish(8, ago(60));
    corrected.quiet(T::OOversell);
    corrected.quiet(T::OSync);
    let mut filled = web_shop();
    filled.publish(50, ago(120));
    filled.moved(MoveKind::Receipt, None, Some("2"), 42, None).done_at = Some(ago(30));
    filled.quiet(T::OOversell);
    filled.quiet(T::OSync);
    let mut unseen = web_shop();
    unseen.publish(50, ago(60));
    if let Some(Record::Notice(notice)) = unseen.records.last_mut() {
        notice.received_at = at(1);
    }
    unseen.quiet(T::OSync);
}

#[test]
fn units_sold_twice_cost_their_margin_and_a_word_to_the_customer() {
    let mut shop = web_shop();
    shop.publish(50, ago(60));
    let found = shop.assess(&[T::OOversell, T::OSync]);
    // Two days at eight from ten: about six, at 6.00 and 4.00.
    let lost = found.rank.at_stake.to_f64();
    assert!((lost - 60.0).abs() < 6.0, "{lost}");
    assert_eq!(found.loss_sum.len(), 1, "sold twice is counted once");
    assert!(has(&found, "CONTACT") && has(&found, "RECOUNT") && has(&found, "ESCALATE") && has(&found, "MONITOR"));
    let mut low = web_shop();
    low.publish(0, ago(60));
    let found = low.assess(&[T::OSync]);
    assert!(found.rank.at_stake > Money::ZERO && found.loss_sum[0].what.starts_with("there and not offered"));
    let mut unknown = web_shop();
    unknown.publish(50, ago(60));
    unknown.outlook = Outlook::default();
    assert!(unknown.assess(&[T::OSync]).abstain.is_some(), "without a forecast nobody knows what it costs");
}
