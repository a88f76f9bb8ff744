//! A made-up retailer fills a store as a live source would, resumes where it was cut off, and is streamed as it was made.

use super::source::MadeUp;
use super::*;
use crate::lab::retailer::Shape;
use crate::pipeline::watermark::Reading;
use crate::ports::{Page, Senders, Source};

fn retailer(items: u32) -> Retailer {
    let until = "2026-10-08".parse().unwrap();
    let (locations, days, detail_days, listed, injected, seed) = (3, 60, 14, 1.0, 0.3, 7);
    Retailer::new(Shape { items, locations, days, detail_days, listed, injected, seed, until }).unwrap()
}

async fn store() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_and_migrate(&format!("sqlite:{}", folder.path().join("r.db").display())).await.unwrap();
    (store, folder)
}

fn config() -> Config {
    Config::load_from(None, &[]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_store_stands_where_a_look_has_ended_and_can_be_looked_at_without_an_erp() {
    let ((store, _folder), retailer) = (store().await, retailer(20));
    let (mut records, mut streamed) = (Vec::new(), Vec::new());
    let whole = stream(&retailer, &mut records, &mut streamed, |_| ()).unwrap();
    let mut truth = Vec::new();
    let made = fill(config(), &store, &retailer, &mut truth, |_| ()).await.unwrap();
    assert_eq!((made.records, made.series, &made.injected), (whole.records, 60, &whole.injected));
    assert_eq!(truth, streamed);
    assert_eq!(store.count_records().await.unwrap().values().sum::<i64>(), i64::try_from(made.records).unwrap());
    assert_eq!(Reading::load(&store).await.unwrap().up_to(), Some(retailer.read_at()));

    let source = filled(&store).await.unwrap().expect("it is a made-up one");
    let ports = Ports { source, model: None, senders: Senders::default() };
    let clock = Clock::standing_at(retailer.read_at());
    let app = App::new(Arc::new(config()), store.clone(), ports, clock);
    app.run_until_idle().await.unwrap();
    let digest = store.find_digest("2026-10-09".parse().unwrap()).await.unwrap().expect("its morning's digest");
    assert!(!digest.digest.lines.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn filling_goes_on_where_it_was_cut_off_and_half_of_it_is_not_looked_at() {
    let ((store, _folder), retailer) = (store().await, retailer(20));
    let source = MadeUp::new(retailer.clone());
    let half = source.read(None, retailer.read_at(), 1_000).await.unwrap();
    assert!(half.more && half.observed.len() == 1_000);
    store.apply_page(&retailer.identity(), &half, retailer.read_at()).await.unwrap();
    let unfinished = filled(&store).await.unwrap().unwrap();
    let error = unfinished.read(Some(&half.next), retailer.read_at(), 10).await.unwrap_err();
    assert!(crate::domain::words::with_causes(&error).contains("not filled to the end"), "{error}");

    let (mut truth, mut whole_truth) = (Vec::new(), Vec::new());
    let made = fill(config(), &store, &retailer, &mut truth, |_| ()).await.unwrap();
    let whole = stream(&retailer, &mut Vec::new(), &mut whole_truth, |_| ()).unwrap();
    assert_eq!((made.records, truth), (whole.records, whole_truth));
    assert_eq!(store.count_records().await.unwrap().values().sum::<i64>(), i64::try_from(whole.records).unwrap());
}

#[test]
fn pages_of_any_size_tell_everything_once() {
    let retailer = retailer(10);
    let source = MadeUp::new(retailer.clone());
    let (mut told, mut at) = (Vec::new(), Some((0, 0)));
    while let Some(position) = at {
        let (page, next) = source.page(position, 77);
        assert!(page.len() <= 77);
        told.extend(page);
        at = next;
    }
    let all = (1..=10).flat_map(|item| retailer.item(item).observed);
    assert!(told == retailer.masters().into_iter().chain(all).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_other_records_is_left_alone() {
    let ((store, _folder), retailer) = (store().await, retailer(2));
    store.apply_page("erp", &Page::default(), retailer.read_at()).await.unwrap();
    let error = fill(config(), &store, &retailer, &mut Vec::new(), |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("records of another source (erp)"), "{error}");
    assert!(filled(&store).await.unwrap().is_none());
}
