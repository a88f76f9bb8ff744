//! Trials on disk: what is read, and how what can not be read is named.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use reeve_lab::trial::files;

const HEADER: &str = "date,sku,location,units,price,promo,holiday,stockout_hours,open\n";

/// A file that no other test writes.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, bytes).expect("the build's folder for tests can be written to");
    file
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trial").join(name)
}

#[test]
fn a_day_that_a_series_lacks_is_closed_in_a_history_and_open_in_a_base() {
    let text = format!("{HEADER}2026-01-02,B,X,3,1.5,0,0,0,1\n2026-01-01,A,X,2,,1,0,16,\n2026-01-02,A,X,4,2,0,1,0,0\n");
    let plain = file("lacking.csv", text.as_bytes());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("a list can be written to");
    let packed = file("lacking.csv.gz", &packed.finish().expect("a list can be written to"));
    let (history, base) = (files::read_demand(&plain).unwrap(), files::read_demand_base(&packed).unwrap());
    assert_eq!(history.keys(), base.keys());
    let (lacking, there) = (history.series(1)[0], history.series(0)[0]);
    assert!(!lacking.open && base.series(1)[0].open);
    assert!(there.open && there.promo && (there.units, there.price, there.stockout_hours) == (2.0, 0.0, 16.0));
}

#[test]
fn a_malformed_line_is_named_by_file_and_number() {
    let refused = |name: &str, lines: &str| {
        let error = files::read_demand(&file(name, format!("{HEADER}{lines}").as_bytes())).unwrap_err().to_string();
        error.rsplit_once('/').expect("the file is named").1.to_owned()
    };
    let good = "2026-01-01,A,X,2,1,0,0,0,1\n";
    let check = |name: &str, line: &str, expected: &str| {
        assert_eq!(refused(name, &format!("{good}{line}\n")), format!("{name}, line 3: {expected}"));
    };
    check("units.csv", "2026-01-02,A,X,many,1,0,0,0,1", "units is \"many\", but must be a number");
    check("negative.csv", "2026-01-02,A,X,-1,1,0,0,0,1", "units is -1, but must be 0 or more");
    check("infinite.csv", "2026-01-02,A,X,inf,1,0,0,0,1", "units is \"inf\", but must be a number");
    check("date.csv", "02.01.2026,A,X,1,1,0,0,0,1", "date is \"02.01.2026\", but must be a day such as 2026-03-31");
    check("flag.csv", "2026-01-02,A,X,1,1,yes,0,0,1", "promo is \"yes\", but must be 0 or 1");
    check("short.csv", "2026-01-02,A,X,1", "it has 4 fields where the header has 9");
    check("twice.csv", "2026-01-01,A,X,1,1,0,0,0,1", "A at X has 2026-01-01 a second time; give each day of a series once");
    check("empty.csv", "2026-01-02,,X,1,1,0,0,0,1", "sku is empty");
}

#[test]
fn a_missing_column_or_file_is_named() {
    let error = files::read_demand(&file("column.csv", b"date,sku,units\n")).unwrap_err().to_string();
    assert!(error.contains("there is no column \"location\"; the first line must name date, sku, location"), "{error}");
    let error = files::read_demand(Path::new("/nowhere/demand.csv")).unwrap_err().to_string();
    assert_eq!(error, "can not read /nowhere/demand.csv");
}

#[test]
fn a_folder_is_read_without_its_truth_and_with_it() {
    let (panel, from) = files::read_demand_folder(&fixture("demand")).unwrap();
    assert_eq!((panel.keys().len(), panel.days().len(), from), (24, 63, 42));
    let trial = files::read_demand_trial(&fixture("demand")).unwrap();
    assert_eq!((trial.panel == panel, trial.eval_from, trial.events.len()), (true, 42, 52));
    let records = files::read_receiving_folder(&fixture("receiving")).unwrap();
    assert_eq!((records.lines.len(), records.bills.len(), records.notices.len()), (260, 260, 13));
    assert_eq!(files::read_receiving_trial(&fixture("receiving")).unwrap().records, records);
}

#[test]
fn scores_are_written_day_by_day_and_read_back() {
    let (panel, from) = files::read_demand_folder(&fixture("demand")).unwrap();
    let scores = Array2::from_shape_fn((24, 21), |(series, day)| (series * 21 + day) as f32 / 7.0);
    let mut text = Vec::new();
    files::write_demand_scores(&mut text, &panel, from, scores.view()).unwrap();
    let start = "date,sku,location,score\n2026-02-16,SKU-00,Basel,0\n";
    assert!(text.starts_with(start.as_bytes()), "{}", String::from_utf8_lossy(&text[..60]));
    let read = files::read_demand_scores(&file("scores.csv", &text), &panel).unwrap();
    assert_eq!(read.slice_axis(ndarray::Axis(1), (from..).into()), scores);
    assert!(read.slice_axis(ndarray::Axis(1), (..from).into()).iter().all(|score| score.is_nan()));
}

#[test]
fn a_table_has_gaps_and_its_label_is_no_feature() {
    let table = files::read_numbers(&file("table.csv", b"a,b,label\n1,,0\n-2.5,3e2,1\n")).unwrap();
    assert_eq!(table.names, ["a", "b"]);
    assert_eq!(table.labels, Some(("label".to_owned(), vec![false, true])));
    assert!(table.rows[[0, 1]].is_nan() && (table.rows[[1, 1]] - 300.0).abs() < 1e-9);
    let error = files::read_numbers(&file("words.csv", b"a,b\n1,x\n")).unwrap_err().to_string();
    assert!(error.ends_with("words.csv, line 2: b is \"x\", but must be a number, or empty where there is none"), "{error}");
    let error = files::read_numbers(&file("none.csv", b"label\n1\n")).unwrap_err().to_string();
    assert!(error.contains("no rows or no columns"), "{error}");
}

/// An archive as numpy writes it: `X` and `y`, each with its header, stored or deflated.
fn archive(arrays: &[(&str, &str, &[u8])], deflated: bool) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, header, data) in arrays {
        let mut whole = b"\x93NUMPY\x01\x00".to_vec();
        whole.extend((header.len() as u16).to_le_bytes());
        whole.extend(header.as_bytes());
        whole.extend(*data);
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&whole).expect("a list can be written to");
        let packed = if deflated { packer.finish().expect("a list can be written to") } else { whole };
        let method: u16 = if deflated { 8 } else { 0 };
        let at = bytes.len() as u32;
        let sizes = [[0; 4], (packed.len() as u32).to_le_bytes(), [0; 4]].concat();
        let head = |start: &[u8], names: &[u8]| {
            [start, &method.to_le_bytes(), &[0; 4], &sizes, &(name.len() as u16).to_le_bytes(), names].concat()
        };
        bytes.extend(head(b"PK\x03\x04\x14\x00\x00\x00", &[0; 2]));
        bytes.extend(name.as_bytes());
        bytes.extend(packed);
        directory.extend(head(b"PK\x01\x02\x14\x00\x14\x00\x00\x00", &[0; 12]));
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = (bytes.len() as u32).to_le_bytes();
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
    bytes.extend([(arrays.len() as u16).to_le_bytes(); 2].concat());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start);
    bytes.extend([0; 2]);
    bytes
}

const X: &str = "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n";
const Y: &str = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n";

#[test]
fn an_archive_of_numpy_is_read_stored_or_deflated() {
    let numbers: Vec<u8> = [1.0_f32, 2.0, 3.0, 10.0, 20.0, 30.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    for deflated in [false, true] {
        let bytes = archive(&[("X.npy", X, &numbers), ("y.npy", Y, &[0, 1, 0])], deflated);
        let table = files::read_npz(&file(&format!("good-{deflated}.npz"), &bytes)).unwrap();
        assert_eq!(table.rows, ndarray::array![[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]);
        assert_eq!(table.labels.unwrap().1, [false, true, false]);
    }
}

#[test]
fn an_archive_that_claims_what_it_does_not_hold_is_refused() {
    let refused = |name: &str, bytes: &[u8]| files::read_npz(&file(name, bytes)).unwrap_err().to_string();
    let huge = X.replace("(3, 2)", "(99999999999, 99999999999)");
    let bytes = archive(&[("X.npy", &huge, &[0; 24]), ("y.npy", Y, &[0, 1, 0])], true);
    assert!(refused("huge.npz", &bytes).ends_with("X.npy is no array of numbers of one or two dimensions"));
    let bytes = archive(&[("X.npy", X, &[0; 24])], false);
    assert!(refused("lacking.npz", &bytes).contains("it has no array y.npy that can be read"));
    let bytes = archive(&[("X.npy", X, &[0; 24]), ("y.npy", Y, &[0, 1, 0])], true);
    for end in (0..bytes.len() - 3).step_by(7) {
        assert!(files::read_npz(&file("cut.npz", &bytes[..end])).is_err(), "cut at {end}");
    }
    assert!(refused("words.npz", b"not an archive").contains("numpy.savez"));
}
