//! Tests of judging: tiers by value, what counts together, rules and what is not known.

use proptest::prelude::*;

use super::*;
use crate::action::Action;

fn tier(action: &'static str, value: i64) -> Tier {
    Asked::new(action, value).by(&Policy::standard()).tier
}

#[test]
fn tiers_go_by_value_up_to_and_with_the_limit() {
    for (value, expected) in [
        (0, Tier::T1),
        (1_000, Tier::T1),
        (1_001, Tier::T2),
        (10_000, Tier::T2),
        (10_001, Tier::T3),
        (50_000, Tier::T3),
        (50_001, Tier::T4),
    ] {
        assert_eq!(tier("CANCEL-PO", value), expected, "{value}");
        // Written off and claimed is as much as committed.
        assert_eq!(tier("CANCEL-PO", -value), expected, "-{value}");
    }
}

#[test]
fn each_tier_takes_its_own_signatures() {
    use Role::{Approver, Director, Finance, Planner};
    let takes = |action, value| {
        let ruling = Asked::new(action, value).by(&Policy::standard());
        (ruling.tier, ruling.signatures, ruling.with, ruling.who)
    };
    assert_eq!(takes("MONITOR", 99_000), (Tier::T0, 1, vec![], vec![Planner, Approver, Finance, Director]));
    assert_eq!(takes("NEW-PO", 1), (Tier::T1, 1, vec![], vec![Approver]));
    assert_eq!(takes("NEW-PO", 1_001), (Tier::T2, 1, vec![], vec![Approver]));
    assert_eq!(takes("NEW-PO", 10_001), (Tier::T3, 2, vec![Finance], vec![Approver, Finance, Director]));
    assert_eq!(takes("NEW-PO", 50_001), (Tier::T4, 2, vec![Director], vec![Approver, Finance, Director]));
}

#[test]
fn an_order_in_foreign_currency_is_converted_before_it_is_compared() {
    // §11 vector 14: limit 5,000 company currency; 4,000 in a currency worth 6.
    let policy = changed("limit = \"1000\"", "limit = \"5000\"");
    let mut asked = Asked::new("NEW-PO", 0);
    asked.value = in_company_currency(4_000.into(), 6.into());
    assert_eq!(asked.value, units(24_000));
    let ruling = asked.by(&policy);
    assert_eq!(ruling.tier, Tier::T3);
    assert_eq!(ruling.because, ["T3: 24,000.00 USD, up to 50,000.00"]);
}

#[test]
fn a_limit_in_another_currency_is_converted_and_without_a_rate_it_lets_nothing_through() {
    let rated = changed("[rates]", "[rates]\nEUR = \"1.10\"");
    let text = DEFAULT_TOML.replacen("limit = \"1000\"", "limit = \"1000 EUR\"", 1);
    let without = Policy::parse("p", &text).unwrap();
    let with = Policy { tiers: without.tiers.clone(), ..rated };
    assert_eq!(Asked::new("NEW-PO", 1_100).by(&with).tier, Tier::T1);
    assert_eq!(Asked::new("NEW-PO", 1_101).by(&with).tier, Tier::T2);
    assert_eq!(Asked::new("NEW-PO", 1).by(&without).tier, Tier::T2);
    // A rule whose limit can not be converted holds.
    let rule = with_rule("above = \"9000 EUR\"\ntier = \"T4\"");
    assert_eq!(Asked::new("NEW-PO", 1).by(&rule).tier, Tier::T4);
}

#[test]
fn what_was_released_for_the_same_item_supplier_or_by_the_same_approver_counts() {
    let policy = Policy::standard();
    let item = Asked::new("NEW-PO", 600).after(600, |e| e.item = Some(ItemId::new("7")));
    let supplier = Asked::new("NEW-PO", 600).after(600, |e| e.supplier = Some(SupplierId::new("9")));
    let approver = Asked::new("NEW-PO", 600).after(600, |e| e.by = PersonId::new("ari"));
    for (asked, key, word) in
        [(item, "item", "item"), (supplier, "supplier", "supplier"), (approver, "approver", "approver")]
    {
        let ruling = asked.clone().by(&policy);
        assert_eq!((ruling.tier, ruling.counted), (Tier::T2, units(1_200)), "{key}");
        assert_eq!(
            ruling.because,
            [format!(
                "T2: 600.00 USD, together with 600.00 released in the last 7 days for the same {word} (1 recommendation) \
                 1,200.00, up to 10,000.00"
            )]
        );
        // Each of them is its own switch.
        let off = changed(&format!("\n{key} = true"), &format!("\n{key} = false"));
        let ruling = asked.by(&off);
        assert_eq!((ruling.tier, ruling.counted), (Tier::T1, units(600)), "{key}");
        assert_eq!(ruling.because, ["T1: 600.00 USD, up to 1,000.00"]);
    }
    let other = Asked::new("NEW-PO", 600).after(600, |e| e.item = Some(ItemId::new("8")));
    assert_eq!(other.by(&policy).tier, Tier::T1);
    // Nothing in common is nothing in common: two without an item are not on the same item.
    let mut none = Asked::new("NEW-PO", 600).after(600, |_| ());
    (none.item, none.supplier) = (None, None);
    assert_eq!(none.by(&policy).counted, units(600));
}

#[test]
fn a_delegator_and_whoever_stands_in_for_them_share_one_sum() {
    let policy = Policy::standard();
    let (ari, fay) = (PersonId::new("ari"), PersonId::new("fay"));
    // fay released 600 herself; now ari signs for her.
    let mut first = Asked::new("NEW-PO", 600).after(600, |e| e.by = fay.clone());
    first.on_behalf_of = vec![fay.clone()];
    // Bo released 600 for fay; now she signs herself.
    let mut second = Asked::new("NEW-PO", 600).after(600, |e| e.on_behalf_of = vec![fay.clone()]);
    second.signers = vec![fay.clone()];
    // Bo released 600 for fay; now ari signs for her too.
    let mut third = Asked::new("NEW-PO", 600).after(600, |e| e.on_behalf_of = vec![fay.clone()]);
    third.on_behalf_of = vec![fay];
    // Ari released 600 for fay; now he signs for himself: it is the same hand.
    let fourth = Asked::new("NEW-PO", 600).after(600, |e| {
        e.by = ari;
        e.on_behalf_of = vec![PersonId::new("fay")];
    });
    let off = changed("\nchain = true", "\nchain = false");
    for (number, asked) in [first, second, third].into_iter().enumerate() {
        let ruling = asked.clone().by(&policy);
        assert_eq!((ruling.tier, ruling.counted), (Tier::T2, units(1_200)), "{number}");
        assert!(ruling.because[0].contains("for the same chain of delegation (1"), "{:?}", ruling.because);
        assert_eq!(asked.by(&off).tier, Tier::T1, "{number}");
    }
    assert_eq!(fourth.by(&off).tier, Tier::T2);
}

#[test]
fn one_recommendation_counts_once_however_many_signed_it_and_never_with_itself() {
    let policy = Policy::standard();
    let ari = || PersonId::new("ari");
    let asked = Asked::new("NEW-PO", 600)
        .after(500, |e| e.recommendation = RecommendationId::new("same"))
        .after(500, |e| {
            e.recommendation = RecommendationId::new("same");
            e.by = ari();
        })
        .after(500, |e| {
            e.recommendation = RecommendationId::new("same");
            e.item = Some(ItemId::new("7"));
        })
        .after(9_000, |e| {
            e.recommendation = RecommendationId::new("r-now");
            e.by = ari();
        })
        .after(-100, |e| e.by = ari());
    let ruling = asked.by(&policy);
    assert_eq!(ruling.counted, units(1_200));
    assert_eq!(
        ruling.because,
        [
            "T2: 600.00 USD, together with 600.00 released in the last 7 days for the same item or approver (2 recommendations) \
          1,200.00, up to 10,000.00"
        ]
    );
    let alone = Asked::new("NEW-PO", 600).after(9_000, |e| {
        e.recommendation = RecommendationId::new("r-now");
        e.by = ari();
    });
    assert_eq!(alone.by(&policy).because, ["T1: 600.00 USD, up to 1,000.00"]);
}

#[test]
fn the_window_is_as_long_as_the_policy_says() {
    let at = |hours: i64| {
        let then = now().checked_sub(jiff::SignedDuration::from_hours(hours)).unwrap();
        move |asked: Asked, policy: &Policy| {
            asked
                .after(600, |e| {
                    e.at = then;
                    e.by = PersonId::new("ari");
                })
                .by(policy)
                .tier
        }
    };
    let asked = || Asked::new("NEW-PO", 600);
    let standard = Policy::standard();
    assert_eq!(at(7 * 24)(asked(), &standard), Tier::T2);
    assert_eq!(at(7 * 24 + 1)(asked(), &standard), Tier::T1);
    let two = changed("days = 7", "days = 2");
    assert_eq!(at(48)(asked(), &two), Tier::T2);
    assert_eq!(at(49)(asked(), &two), Tier::T1);
    assert_eq!(at(0)(asked(), &changed("days = 7", "days = 0")), Tier::T1);
}

proptest! {
    #[test]
    fn the_last_part_of_a_split_order_has_the_tier_of_the_whole(
        parts in prop::collection::vec((1i64..30_000, 0usize..3), 1..6)
    ) {
        let whole: i64 = parts.iter().map(|(value, _)| value).sum();
        let ((last, _), earlier) = parts.split_last().expect("at least one");
        let asked = earlier.iter().fold(Asked::new("NEW-PO", *last), |asked, (value, way)| {
            asked.after(*value, |e| match way {
                0 => e.item = Some(ItemId::new("7")),
                1 => e.supplier = Some(SupplierId::new("9")),
                _ => e.by = PersonId::new("ari"),
            })
        });
        let ruling = asked.by(&Policy::standard());
        prop_assert_eq!(ruling.tier, tier("NEW-PO", whole));
        prop_assert_eq!(ruling.counted, units(whole));
    }

    #[test]
    fn more_value_more_earlier_or_less_knowledge_never_lowers_what_is_needed(
        action in 0..Action::CODES.len(), value in 0i64..80_000, more in 0i64..80_000, earlier in 0i64..80_000,
    ) {
        let policy = with_rule("classes = [\"A\"]\nlocations = [\"SOU\"]\nsupplier_risk = \"high\"\ntier = \"T3\"");
        let action = Action::CODES[action];
        let less = Asked::new(action, value).by(&policy);
        let rises = |ruling: &Ruling| {
            ruling.tier >= less.tier && ruling.signatures >= less.signatures
                && less.with.iter().all(|role| ruling.with.contains(role) || ruling.tier > less.tier)
        };
        prop_assert!(rises(&Asked::new(action, value + more).by(&policy)));
        prop_assert!(rises(&Asked::new(action, value).after(earlier, |e| e.by = PersonId::new("ari")).by(&policy)));
        prop_assert!(rises(&Asked::new(action, value).knowing(|f| *f = Facts::default()).by(&policy)));
    }
}

#[test]
fn rules_raise_the_tier_and_say_so() {
    let policy = Policy::standard();
    let reverse = Asked::new("REVERSE-DOC", 1).by(&policy);
    assert_eq!((reverse.tier, reverse.signatures, reverse.with), (Tier::T3, 2, vec![Role::Finance]));
    assert_eq!(
        reverse.because,
        [
            "T1: 1.00 USD, up to 1,000.00",
            "what changes the books: ADJUST-STOCK, REVERSE-DOC takes at least T3",
            "finance agrees to reversals: REVERSE-DOC takes two people with one of finance among them",
        ]
    );
    // A rule never lowers: above every limit it stays there, and finance agrees beside the director.
    let large = Asked::new("REVERSE-DOC", 60_000).by(&policy);
    assert_eq!((large.tier, large.with), (Tier::T4, vec![Role::Finance, Role::Director]));
    assert_eq!(large.because[0], "T4: 60,000.00 USD, above every limit");
}

#[test]
fn a_rule_raises_what_commits_nothing_too() {
    let ruling = Asked::new("CONTACT", 0).by(&with_rule("actions = [\"CONTACT\"]\nsuppliers = [\"Acme\"]\ntier = \"T1\""));
    assert_eq!((ruling.tier, ruling.who), (Tier::T1, vec![Role::Approver]));
    assert_eq!(ruling.because, ["T0: CONTACT commits nothing", "own: CONTACT with supplier Acme takes at least T1"]);
}

#[test]
fn a_co_approval_takes_two_and_more_signatures_can_be_asked_for() {
    let with = Asked::new("NEW-PO", 1).by(&with_rule("with = [\"director\", \"finance\", \"director\"]"));
    assert_eq!((with.tier, with.signatures, with.with), (Tier::T1, 2, vec![Role::Finance, Role::Director]));
    let two = Asked::new("NEW-PO", 1).by(&with_rule("signatures = 2"));
    assert_eq!((two.tier, two.signatures, two.with), (Tier::T1, 2, vec![]));
    let one = Asked::new("NEW-PO", 20_000).by(&with_rule("signatures = 1"));
    assert_eq!((one.tier, one.signatures), (Tier::T3, 2));
    assert!(one.because[1].ends_with("everything takes at least 1 signature"), "{:?}", one.because);
}

#[test]
fn what_is_not_permitted_is_said_first() {
    let policy = changed("\"MARKDOWN\", \"CONTACT\"", "\"CONTACT\"");
    let ruling = Asked::new("MARKDOWN", 1).by(&policy);
    assert!(!ruling.permitted);
    assert_eq!(ruling.because[0], "MARKDOWN may not be recommended under this policy");
    assert!(Asked::new("CONTACT", 1).by(&policy).permitted);
}

/// A rule holds exactly when its condition does; what is not known counts as if it held, and is named.
#[track_caller]
fn condition(rule: &str, holds: impl Fn(&mut Facts), fails: impl Fn(&mut Facts), unknown: impl Fn(&mut Facts), what: &str) {
    let policy = with_rule(&format!("{rule}\ntier = \"T4\""));
    let ask = |change: &dyn Fn(&mut Facts)| Asked::new("TRANSFER", 1).knowing(change).by(&policy);
    assert_eq!(ask(&holds).tier, Tier::T4, "{rule}");
    assert!(!ask(&holds).because[1].contains("not known"));
    assert_eq!(ask(&fails).tier, Tier::T1, "{rule}");
    let ruling = ask(&unknown);
    assert_eq!(ruling.tier, Tier::T4, "{rule}");
    assert!(ruling.because[1].ends_with(&format!("({what} not known: the stricter counts)")), "{:?}", ruling.because);
}

#[test]
fn rules_ask_about_class_category_place_supplier_risk_and_margin() {
    condition(
        "classes = [\"A\", \"B\"]",
        |f| f.class = Some(Class::B),
        |f| f.class = Some(Class::C),
        |f| f.class = None,
        "item class",
    );
    condition(
        "categories = [\"all / food\"]",
        |f| f.categories = Some(vec!["All / Toys".into(), "All / Food / Cheese".into()]),
        |f| f.categories = Some(vec!["All / Foods".into(), "All".into()]),
        |f| f.categories = None,
        "category",
    );
    condition(
        "locations = [\"sou\"]",
        |f| f.locations = Some(vec![Named::new("1", &["NOR"]), Named::new("2", &["SOU"])]),
        |f| f.locations = Some(vec![]),
        |f| f.locations = None,
        "location",
    );
    condition(
        "suppliers = [\"9\"]",
        |_| (),
        |f| f.suppliers = Some(vec![Named::new("10", &["", "Nine"])]),
        |f| f.suppliers = None,
        "supplier",
    );
    condition(
        "supplier_risk = \"medium\"",
        |f| f.supplier_risk = Some(Risk::Medium),
        |f| f.supplier_risk = Some(Risk::Low),
        |f| f.supplier_risk = None,
        "supplier risk",
    );
    condition(
        "margin_lost_above = \"500\"",
        |f| f.margin_lost = Some(Money::from_minor(50_001)),
        |f| f.margin_lost = Some(units(500)),
        |f| f.margin_lost = None,
        "margin effect",
    );
    condition(
        "margin_lost_share_above = 0.1",
        |f| f.margin_lost_share = Some("0.11".parse().unwrap()),
        |f| f.margin_lost_share = Some("0.10".parse().unwrap()),
        |f| f.margin_lost_share = None,
        "share of margin lost",
    );
}

#[test]
fn there_is_no_risk_of_a_supplier_where_there_is_none() {
    let policy = with_rule("supplier_risk = \"high\"\ntier = \"T4\"");
    let ruling = Asked::new("TRANSFER", 1).knowing(|f| {
        f.suppliers = Some(vec![]);
        f.supplier_risk = None;
    });
    assert_eq!(ruling.by(&policy).tier, Tier::T1);
    assert_eq!(Asked::new("TRANSFER", 1).knowing(|f| f.supplier_risk = Some(Risk::High)).by(&policy).tier, Tier::T4);
}

#[test]
fn all_conditions_of_a_rule_have_to_hold() {
    let policy = with_rule("actions = [\"TRANSFER\"]\nclasses = [\"A\"]\nabove = \"10\"\ntier = \"T4\"");
    let ask = |action, value, class| Asked::new(action, value).knowing(|f| f.class = Some(class)).by(&policy).tier;
    assert_eq!(ask("TRANSFER", 11, Class::A), Tier::T4);
    assert_eq!(ask("NEW-PO", 11, Class::A), Tier::T1);
    assert_eq!(ask("TRANSFER", 10, Class::A), Tier::T1);
    assert_eq!(ask("TRANSFER", 11, Class::B), Tier::T1);
    let both = Asked::new("TRANSFER", 11).knowing(|f| *f = Facts::default());
    let policy = with_rule("classes = [\"A\"]\nlocations = [\"X\"]\ntier = \"T4\"");
    assert!(both.by(&policy).because[1].ends_with("(item class and location not known: the stricter counts)"));
}

#[test]
fn a_rules_limit_counts_what_the_same_action_was_released_for() {
    let policy = Policy::standard();
    let ari = || PersonId::new("ari");
    let claim = |action: Option<&str>| {
        let action = action.and_then(ActionCode::named);
        Asked::new("CLAIM", 3_000)
            .after(2_500, |e| {
                e.by = ari();
                e.action = action;
            })
            .by(&policy)
            .tier
    };
    assert_eq!(claim(Some("CLAIM")), Tier::T3);
    assert_eq!(claim(Some("TRANSFER")), Tier::T2);
    // What it was is not known: it counts.
    assert_eq!(claim(None), Tier::T3);
    assert_eq!(tier("CLAIM", 5_000), Tier::T2);
    assert_eq!(tier("CLAIM", 5_001), Tier::T3);
}

#[test]
fn a_rule_reads_as_a_sentence() {
    let policy = with_rule(
        "actions = [\"NEW-PO\", \"TRANSFER\"]\nabove = \"10 EUR\"\nclasses = [\"A\", \"B\"]\ncategories = [\"All / Food\"]\n\
         locations = [\"NOR\", \"SOU\"]\nsuppliers = [\"Acme\"]\nsupplier_risk = \"high\"\nmargin_lost_above = 5\n\
         margin_lost_share_above = 0.5\ntier = \"T3\"\nwith = [\"finance\", \"director\"]\nsignatures = 2",
    );
    let rule = policy.rules.last().unwrap();
    assert_eq!(
        rule.when_told(),
        "NEW-PO, TRANSFER above 10 EUR on class A or B of category All / Food at location NOR or SOU with supplier Acme with a \
         supplier of at least high risk giving away more than 5 of margin giving away more than 50 % of the margin"
    );
    assert_eq!(
        rule.asks_told(),
        "at least T3, two people with one of finance and a director among them, at least 2 signatures"
    );
    assert_eq!((Rule::default().when_told().as_str(), Rule::default().asks_told().as_str()), ("everything", "nothing"));
}
