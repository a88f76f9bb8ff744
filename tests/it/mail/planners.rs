//! Planners on the bundled recording: every case is in exactly one planner's digest, everybody's is what it was, and the same inputs are the
//! same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::digest::Digest;
use reeve::domain::money::Money;
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Ports, Senders, Source as _};
use reeve::store::{Store, StoredDigest};

use crate::support::databases::databases;

const PLANNERS: &str = "[[planners]]\nperson = \"pia\"\nscopes = [{ location = \"Northgate DC\" }]\ncapacity = 4\n\
                        [[planners]]\nperson = \"fay\"\nscopes = [{ type = \"F-DUPBILL\" }, { type = \"F-QTY\" }, { location = \"Northgate DC\" }]\n\
                        [[planners]]\nperson = \"ari\"\nfallback = true\ntimezone = \"Pacific/Auckland\"\ndigest_hour = 4\n";

fn recording() -> Recorded {
    Recorded::open(Path::new("evals/recordings/odoo-18-retailer"), "USD").expect("the bundled recording opens")
}

/// The digests of the recording's end: everybody's, and each planner's by their id.
async fn digests(url: &str, text: &str) -> (StoredDigest, BTreeMap<String, StoredDigest>) {
    let config = Arc::new(Config::of_table("a test", text.parse().unwrap()).unwrap());
    let (_, at) = recording().span().unwrap();
    let store = Store::open_and_migrate(url).await.unwrap();
    let ports = Ports { source: Arc::new(recording()), model: None, senders: Senders::default() };
    App::new(Arc::clone(&config), store.clone(), ports, Clock::standing_at(at)).run_until_idle().await.unwrap();
    let all = store.find_digest(config.rules.calendar.calendar().day_of(at)).await.unwrap().expect("everybody's");
    let mut own = BTreeMap::new();
    for planner in &config.planners {
        let day = planner.calendar(&config).day_of(at);
        let kept = store.find_digest_of(planner.person.as_str(), day).await.unwrap();
        own.insert(planner.person.to_string(), kept.unwrap_or_else(|| panic!("{} has none", planner.person)));
    }
    assert!(store.verify_audit().await.is_ok());
    store.close().await;
    (all, own)
}

/// A digest without what tells two of them apart that say the same.
fn told(digest: &Digest) -> Digest {
    Digest { audit_head: (0, String::new()), planners: vec![], ..digest.clone() }
}

#[tokio::test]
async fn every_case_is_in_exactly_one_planners_digest_and_everybodys_is_what_it_was() {
    let (alone, none) = digests("sqlite::memory:", "").await;
    assert!(none.is_empty() && alone.digest.planners.is_empty());
    for database in databases().await {
        let (all, own) = digests(&database.store_url(), PLANNERS).await;
        assert_eq!(told(&all.digest), told(&alone.digest));
        let sum = |digest: &Digest| digest.lines.len() + digest.below.cases as usize;
        let worth =
            |digest: &Digest| digest.lines.iter().map(|line| line.value.expected).sum::<Money>() + digest.below.value;
        assert_eq!(own.values().map(|kept| sum(&kept.digest)).sum::<usize>(), sum(&all.digest));
        assert_eq!(own.values().map(|kept| worth(&kept.digest)).sum::<Money>(), worth(&all.digest));
        let mut seen: Vec<_> = own.values().flat_map(|kept| &kept.digest.lines).map(|line| line.case_id.clone()).collect();
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "a case is in two digests");
        // The first rule counts, with the planner's own capacity.
        let [ari, fay, pia] = ["ari", "fay", "pia"].map(|id| &own[id].digest);
        assert!(pia.lines.len() <= 4 && pia.lines.iter().all(|line| line.subject.contains("Northgate DC")), "{pia:?}");
        assert!(fay.lines.iter().all(|line| !line.subject.contains("Northgate DC")), "{fay:?}");
        assert!(fay.lines.iter().any(|line| line.codes.contains(&"F-DUPBILL".to_owned())), "{fay:?}");
        assert!(ari.lines.iter().all(|line| !line.codes.contains(&"F-DUPBILL".to_owned())), "{ari:?}");
        // Each is of the day that it is where its reader is, and says whose it is; everybody's says what each has.
        let day: Date = all.digest.day;
        assert_eq!((pia.day, ari.day), (day, day.tomorrow().unwrap()));
        assert!(own["pia"].text.starts_with(&format!("Reeve, {day}: Pia Planner: ")), "{}", own["pia"].text);
        assert_eq!(all.digest.planners.len(), 3);
        for (line, id) in all.digest.planners.iter().zip(["pia", "fay", "ari"]) {
            assert!(line.contains(&format!(": {} case", sum(&own[id].digest))), "{line}");
        }
        // On the same records anywhere else they are the same bytes.
        assert_eq!(digests("sqlite::memory:", PLANNERS).await, (all, own), "{}", database.kind());
    }
}

#[tokio::test]
async fn a_planners_digest_waits_for_their_own_hour() {
    let text = "[[planners]]\nperson = \"pia\"\nfallback = true\ndigest_hour = 10\n";
    let config = Config::of_table("a test", text.parse().unwrap()).unwrap();
    let (_, last) = recording().span().unwrap();
    let day = config.rules.calendar.calendar().day_of(last);
    let at = |hour: u8| -> Timestamp { config.rules.calendar.calendar().moment_of(day, hour) };
    let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
    let ports = Ports { source: Arc::new(recording()), model: None, senders: Senders::default() };
    let clock = Clock::standing_at(at(9));
    let app = App::new(Arc::new(config.clone()), store.clone(), ports, clock.clone());
    app.run_until_idle().await.unwrap();
    assert!(store.find_digest(day).await.unwrap().is_some());
    assert!(store.find_digest_of("pia", day).await.unwrap().is_none(), "it is nine");
    clock.set(at(10));
    app.run_until_idle().await.unwrap();
    assert!(store.find_digest_of("pia", day).await.unwrap().is_some());
}
