use reeve_lab::detectors;
use reeve_models::receiving::Detector;
use std::collections::BTreeMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let seeds: Vec<u64> = a[2].split(',').map(|s| s.parse().unwrap()).collect();
    if a.len() > 3 && a[3] == "forest" { return forest(&a[1], &seeds); }
    if a.len() > 3 && a[3] == "calib" { return calib(&a[1], &seeds); }
    let trials = detectors::receiving_trials(std::path::Path::new(&a[1]), &seeds).unwrap();
    let mut es = vec![("unsup".to_owned(), Detector::unsupervised())];
    if a.len() > 3 { es.push(("trained".to_owned(), Detector::shipped())); }
    for row in detectors::receiving(&trials, &es, |_| ()).unwrap() {
        let n = row.measures.len() as f64;
        let m = |f: &dyn Fn(&reeve_lab::trial::measure::ReceivingMeasures) -> f64| row.measures.iter().map(f).sum::<f64>() / n;
        let mut k: BTreeMap<&str, f64> = BTreeMap::new();
        for x in &row.measures { for (n2, v) in &x.recall_by_kind { *k.entry(n2).or_default() += v / n; } }
        println!("{} AP {:.4} R@1 {:.4} early {:.3} late {:.3} short {:.3} up {:.3} over {:.3} bnr {:.3}", row.detector, m(&|x| x.ap), m(&|x| x.recall_at_1_percent_false), k["early"], k["late"], k["short"], k["price_up"], k["over"], k["billed_not_received"]);
    }
}
#[allow(dead_code)]
pub fn calib(path: &str, seeds: &[u64]) {
    use reeve_lab::trial::{files, receiving::{inject, Label}};
    let base = files::read_receiving_base(std::path::Path::new(path)).unwrap();
    for (name, d) in [("unsup", Detector::unsupervised()), ("trained", Detector::shipped())] {
        for rate in [0.02, 0.04, 0.08] {
            let (mut n, mut f, mut all) = ([0usize; 6], [0usize; 6], 0);
            for s in seeds {
                let t = inject(&base, rate, *s).unwrap();
                let sc: BTreeMap<String, f64> = reeve_models::receiving::score(&t.records, &d).unwrap().into_iter().map(|l| (l.line, l.probability)).collect();
                for (l, tr) in t.records.lines.iter().zip(&t.truth) {
                    if !tr.scored || tr.label == Label::NotCounted { continue; }
                    let ex = matches!(tr.label, Label::Exception(_));
                    all += usize::from(ex);
                    let p = sc.get(&l.line).copied().unwrap_or(0.0);
                    let b = if p >= 0.98 { 5 } else if p >= 0.95 { 4 } else if p >= 0.9 { 3 } else if p >= 0.7 { 2 } else if p >= 0.4 { 1 } else { 0 };
                    n[b] += 1; if !ex { f[b] += 1; }
                }
            }
            let fr: Vec<String> = (1..6).map(|b| format!("{}/{}", f[b], n[b])).collect();
            let (na, fa) = (n[3] + n[4] + n[5], f[3] + f[4] + f[5]);
            println!("{name} rate {rate}: exceptions {all}, false/all by p .4 .7 .9 .95 .98: {}; p>=.9: {na} alarms, false {:.3}, recall {:.3}", fr.join(" "), fa as f64 / na as f64, (na - fa) as f64 / all as f64);
        }
    }
}

pub fn forest(path: &str, seeds: &[u64]) {
    use linfa::prelude::*;
    use reeve_lab::trial::{files, measure, receiving::inject};
    use reeve_models::forest::IsolationForestParams;
    let base = files::read_receiving_base(std::path::Path::new(path)).unwrap();
    for w in [0.0, 0.25, 0.5, 1.0, 2.0, 99.0] {
        let (mut ap, mut r) = (0.0, 0.0);
        for s in seeds {
            let t = inject(&base, 0.08, *s).unwrap();
            let lines = reeve_models::receiving::score(&t.records, &Detector::unsupervised()).unwrap();
            let row = |l: &reeve_models::receiving::LineScore| { let f = &l.features; [f.short_tail, f.over_tail, f.price_tail, f.late_tail, f.early_tail, f.unreceived_tail] };
            let half = lines.len() / 2;
            let flat: Vec<f64> = lines[..half].iter().flat_map(row).collect();
            let x = ndarray::Array2::from_shape_vec((half, 6), flat).unwrap();
            let forest = IsolationForestParams::new().trees(100).seed(1).fit(&DatasetBase::from(x)).unwrap();
            let all: Vec<f64> = lines.iter().flat_map(row).collect();
            let sc = forest.score(&ndarray::Array2::from_shape_vec((lines.len(), 6), all).unwrap());
            let mean = sc.iter().take(half).sum::<f64>() / half as f64;
            let sd = (sc.iter().take(half).map(|v| (v - mean).powi(2)).sum::<f64>() / half as f64).sqrt();
            let by: BTreeMap<&str, f64> = lines.iter().zip(sc.iter()).map(|(l, v)| (l.line.as_str(), if w > 50.0 { *v } else { l.score + w * (v - mean) / sd })).collect();
            let scores: Vec<f64> = t.records.lines.iter().map(|l| by.get(l.line.as_str()).copied().unwrap_or(f64::NAN)).collect();
            let m = measure::receiving(&t.truth, &scores);
            ap += m.ap / seeds.len() as f64; r += m.recall_at_1_percent_false / seeds.len() as f64;
        }
        println!("forest weight {w}: AP {ap:.4} R@1 {r:.4}");
    }
}
