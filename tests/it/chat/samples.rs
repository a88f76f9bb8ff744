//! A card and a digest as they are given to whatever draws them.

use reeve::cards::chart::{self, ChartData, ChartDay};
use reeve::cards::chat::{ChatCard, ChatDigest, ChatFact, ChatLine, Offer, OfferEdit, Stakes};

/// One of a card's actions. `waits`: it can be decided.
pub(crate) fn offer(n: u32, name: &str, worth: &str, waits: bool, stands: &str) -> Offer {
    Offer {
        recommendation: format!("r-{n}"),
        content_hash: format!("{n:064}"),
        version: 1,
        code: "TRANSFER".to_owned(),
        name: name.to_owned(),
        worth: worth.to_owned(),
        steps: vec![format!("Move 40 units to Riverside Store, way {n}, shipping on 2026-10-09")],
        why: "Riverside Store sells 11.4 a day and will be empty on 2026-10-11.".to_owned(),
        risks: "If the supplier delivers the rest tomorrow, the transfer cost is wasted.".to_owned(),
        until: "2026-10-10".to_owned(),
        stands: stands.to_owned(),
        waits,
        edits: true,
        edit: Some(OfferEdit {
            step: 1,
            quantity: Some("40".to_owned()),
            date: Some("2026-10-09".to_owned()),
            date_label: "Ships on".to_owned(),
        }),
        drafter: "Written by the playbook.".to_owned(),
    }
}

/// A short receipt with three ways to mend it.
pub(crate) fn card() -> ChatCard {
    ChatCard {
        case: "c-1".to_owned(),
        headline: "40 of 100 units did not come with receipt WH/IN/00012; the shelf is empty on 2026-10-11".to_owned(),
        subject: "AC-006 Espresso Beans 1 kg <b>&co</b> · Riverside Store".to_owned(),
        kinds: vec!["R-SHORT short receipt".to_owned(), "D-SPIKE demand spike".to_owned()],
        marks: vec!["key item".to_owned()],
        currency: "USD".to_owned(),
        stakes: Some(Stakes {
            at_stake: "1,249.50".to_owned(),
            worth: "892.50".to_owned(),
            deadline: "2026-10-11".to_owned(),
            left: "decide today".to_owned(),
        }),
        state: "to be decided".to_owned(),
        open: true,
        actions: vec![
            offer(1, "TRANSFER from Northgate DC", "110.70", true, ""),
            offer(2, "TRANSFER from Central Warehouse", "90.10", true, ""),
            offer(3, "EXPEDITE of P00051", "60.00", true, ""),
        ],
        facts: vec![
            ChatFact { label: "ordered".to_owned(), value: "100".to_owned() },
            ChatFact { label: "received".to_owned(), value: "60".to_owned() },
        ],
        history: vec![],
        link: Some("https://reeve.example.com/cases/c-1".to_owned()),
    }
}

/// Signed by one of two.
pub(crate) fn signed() -> ChatCard {
    let stands = "signed by Ari Approver on 2026-10-09 06:30 UTC; a second signature is needed";
    let mut card = card();
    stands.clone_into(&mut card.actions[0].stands);
    card.history = vec![format!("TRANSFER from Northgate DC: {stands}")];
    card
}

/// A day's digest of so many lines.
pub(crate) fn digest(lines: u32) -> ChatDigest {
    ChatDigest {
        day: "2026-10-09".to_owned(),
        title: format!("{lines} cases worth deciding, USD 12,345.00 at stake"),
        origin: "Drafted by playbook. Records read up to 2026-10-09 05:58 UTC.".to_owned(),
        unread: vec![],
        lines: (1..=lines)
            .map(|place| ChatLine {
                place,
                headline: format!("Receipt {place} came short of <units> & more"),
                about: "AC-006 Espresso Beans · Riverside Store · R-SHORT · new".to_owned(),
                stakes: "At stake 1,249.50 · worth 892.50 · by 2026-10-11, decide today".to_owned(),
                action: "TRANSFER: Move 40 units from Central Warehouse to Riverside Store".to_owned(),
                link: Some(format!("https://reeve.example.com/cases/c-{place}")),
            })
            .collect(),
        below: "Below the line: 3 cases, together worth USD 404.20.".to_owned(),
        health: vec!["Not read: loyalty.program (module loyalty is not installed)".to_owned()],
        link: Some("https://reeve.example.com/digests/2026-10-09".to_owned()),
    }
}

/// So many days with a promotion, a stock-out, a receipt and a spike.
pub(crate) fn chart_data(days: i32) -> ChartData {
    let first = jiff::civil::date(2026, 9, 12);
    let days = (0..days).map(|i| {
        let expected = 10.0 + 4.0 * f64::from((i % 7 - 3).abs());
        let censored = (9..12).contains(&i);
        let noise = f64::from((i * 7919) % 11) - 5.0;
        let actual = match i {
            _ if censored => 0.0,
            16 => 52.0,
            _ => expected + noise,
        };
        ChartDay {
            day: first.checked_add(jiff::Span::new().days(i)).unwrap(),
            actual: Some(actual),
            expected: Some(expected),
            low: Some(expected - 7.0),
            high: Some(expected + 8.0),
            promo: (3..6).contains(&i),
            censored,
            stock: Some(f64::from(120 - i)),
            receipt: (i == 12).then_some(80.0),
        }
    });
    ChartData { days: days.collect() }
}

/// A case's chart.
pub(crate) fn chart() -> String {
    chart::svg(&chart_data(56))
}
