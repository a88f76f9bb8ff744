//! What the daemon works on: a recording with nothing but warehouses, bills that suppliers sent twice, and its settings.
//!
//! The daemon reads, detects, drafts and queues by itself. Two things are done for it from outside, as the world would: a bill
//! changes, and a case whose decision is made is opened again, because messages of one case can only overtake each other when
//! there are several, and a case gets a second one only so.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::{Span, Timestamp};
use reeve::clock::Clock;
use reeve::domain::audit::AuditEntry;
use reeve::domain::case::{Case, CaseState};
use reeve::domain::ids::{CaseId, SupplierId};
use reeve::domain::money::{Quantity, UnitPrice};
use reeve::domain::record::{BillLine, Observed, Record, Supplier};
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Page, Source as _};
use reeve::store::{Store, StoreError};
use serde_json::Value;

use super::receiver::SECRET;
use crate::support::binary::bundled_recording;

/// What of the bundled recording stays: enough to be one.
const KEPT: [&str; 3] = ["res.company", "stock.warehouse", "stock.location"];

/// The shop, its store and the files of its settings.
pub(super) struct Shop {
    pub(super) store: Store,
    /// Settings of the daemon: what is approved leaves at once.
    pub(super) config: PathBuf,
    /// The same with an hour to take a decision back.
    pub(super) window: PathBuf,
    /// Where the daemon and the commands log.
    pub(super) log: PathBuf,
    source: String,
    opened: Timestamp,
}

impl Shop {
    /// Writes the files into `folder` and fills the store.
    pub(super) async fn open(folder: &Path, store_url: &str, receiver: &str, bills: usize) -> Self {
        let recording = folder.join("recording");
        thin_out(&bundled_recording(), &recording);
        // Many small bills are approved by one person: what limits do about that is tested elsewhere.
        let policy = include_str!("../../../config/policy.toml")
            .replace("limit = \"50000\"", "limit = \"3000000\"")
            .replace("limit = \"10000\"", "limit = \"2000000\"")
            .replace("limit = \"1000\"", "limit = \"1000000\"");
        std::fs::write(folder.join("policy.toml"), policy).unwrap();
        let settings = |undo: u32| {
            format!(
                "[store]\nurl = \"{store_url}\"\n[source]\nrecording = \"{0}/recording\"\n\
                 [approval]\nundo_minutes = {undo}\npolicy_file = \"{0}/policy.toml\"\n\
                 [webhook]\nurl = \"{receiver}\"\nsecret = \"{SECRET}\"\ntimeout = \"250ms\"\nattempts = 1000\n\
                 per_second = 400.0\n[delivery]\nfirst_gap = \"200ms\"\nlongest_gap = \"600ms\"\nmargin = \"50ms\"\n\
                 breaker_failures = 3\nbreaker_pause = \"30ms\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
                 [worker]\nperiod = \"50ms\"\n[api]\nper_minute = 1000000\n",
                folder.display()
            )
        };
        let (config, window) = (folder.join("reeve.toml"), folder.join("window.toml"));
        std::fs::write(&config, settings(0)).unwrap();
        std::fs::write(&window, settings(60)).unwrap();
        let store = Store::open_and_migrate(store_url).await.unwrap();
        let source = Recorded::open(&recording, "USD").unwrap().identity();
        let shop = Self { store, config, window, log: folder.join("reeve.log"), source, opened: Clock::System.now() };
        let suppliers = (0..bills).map(|n| Supplier { id: supplier(n), name: format!("Supplier {n}") });
        let mut observed: Vec<Record> = suppliers.map(Record::Supplier).collect();
        for n in 0..bills {
            observed.push(Record::BillLine(shop.bill(n, "A", "first".to_owned())));
            observed.push(Record::BillLine(shop.bill(n, "B", reference(1))));
        }
        shop.tell(observed).await;
        shop
    }

    /// The records say so from now on.
    async fn tell(&self, records: Vec<Record>) {
        let now = Clock::System.now();
        // At first the cursor stands before the recording, which the daemon itself reads.
        let hash = self.source.split_once(':').unwrap().1;
        let next = self.store.find_cursor(&self.source).await.unwrap().unwrap_or_else(|| format!("{hash}:0"));
        let observed = records.into_iter().map(|record| Observed { changed_at: now, record }).collect();
        self.store.apply_page(&self.source, &Page { observed, next, more: false }, now).await.unwrap();
    }

    /// The bill of a case changes, and the case is open again.
    pub(super) async fn reopen(&self, case: &CaseId, n: usize, round: u32) {
        self.tell(vec![Record::BillLine(self.bill(n, "B", reference(round)))]).await;
        loop {
            let now = self.store.get_case(case).await.unwrap();
            let next = Case { state: CaseState::Open, version: now.version + 1, ..now.clone() };
            // The log has to say so: else a hand-off of the round before that comes in between leaves it with another state.
            let woken = AuditEntry::by_stage("approve", Clock::System.now(), "case.woken", format!("case:{case}"));
            match self.store.advance_case(&next, now.version, &[woken]).await {
                Ok(()) => return,
                // The daemon moved it in between.
                Err(StoreError::Conflict) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    fn bill(&self, n: usize, which: &str, reference: String) -> BillLine {
        let today = self.opened.to_zoned(jiff::tz::TimeZone::UTC).date();
        let id = format!("{n}{which}");
        BillLine {
            bill_id: id.clone(),
            bill_name: format!("BILL/{id}"),
            reference,
            supplier: supplier(n),
            // Of goods: charges without an order repeat, and two of them are no duplicate.
            po_line: None,
            qty: Quantity::units(10),
            price: UnitPrice::from_erp(20.0),
            billed_on: today - Span::new().days(2),
            due_on: Some(today + Span::new().days(20)),
            created_at: self.opened - Span::new().hours(if which == "A" { 30 } else { 26 }),
            ..reeve_testing::records::bill_line(&id, "")
        }
    }
}

/// What the supplier's number on the repeated bill reads in a round.
pub(super) fn reference(round: u32) -> String {
    format!("round {round}.")
}

pub(super) fn supplier(n: usize) -> SupplierId {
    SupplierId::new((n + 1).to_string())
}

/// Copies a recording without the rows of most models.
fn thin_out(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(|f| f.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(model) = name.strip_suffix(".json.gz") else { continue };
        let mut text = Vec::new();
        GzDecoder::new(std::fs::read(&file).unwrap().as_slice()).read_to_end(&mut text).unwrap();
        let mut recorded: Value = serde_json::from_slice(&text).unwrap();
        if !KEPT.contains(&model) {
            recorded["rows"] = Value::Array(Vec::new());
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&serde_json::to_vec(&recorded).unwrap()).unwrap();
        std::fs::write(to.join(name), packed.finish().unwrap()).unwrap();
    }
}
