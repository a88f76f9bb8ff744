//! `reeve kpi`: the figures of a period, each with its formula and what it was counted from.

use std::sync::Arc;

use clap::Args;
use jiff::civil::Date;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::pipeline::moment::Moments;
use crate::reports::kpi::{Figures, Group, Kpi, Period, Report};

/// Which days.
#[derive(Debug, Args)]
pub(super) struct KpiArgs {
    /// First day; else four weeks up to the last.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day; else today.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Also print formulas, and figures by supplier, type, detector and bin.
    #[arg(long)]
    details: bool,
}

pub(super) async fn run(config: Config, args: KpiArgs, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(&config).await?;
    let clock = open::clock_of(&store, &config).await?;
    let config = Arc::new(config);
    let moments = Arc::new(Moments::new(store.clone(), Arc::clone(&config), clock.clone()));
    let figures = Figures::new(store, config, clock, moments);
    let report = figures.of(Period::of(args.from, args.to, figures.today())?).await?;
    if json {
        print_json(&*report)?;
    } else {
        print(&report, args.details);
    }
    Ok(Outcome::Fine)
}

fn print(report: &Report, details: bool) {
    say!("{} to {}, {}, amounts in {}", report.period.from, report.period.to, report.scope, report.currency);
    for group in Group::ALL {
        say!("\n{}", group.title());
        for kpi in report.kpis.iter().filter(|kpi| kpi.group == group) {
            line(kpi, details);
        }
    }
    say!("\nRead together");
    for pair in &report.pairs {
        let figures: Vec<String> =
            pair.ids.iter().filter_map(|id| report.find(id)).map(|kpi| format!("{} {}", kpi.name, kpi.shown())).collect();
        say!("  {}: {}", figures.join(" · "), pair.why);
    }
}

fn line(kpi: &Kpi, details: bool) {
    let few = if kpi.is_thin() { "; few, read with care" } else { "" };
    say!("  {:<40} {:>12}  {}{few}", kpi.name, kpi.shown(), kpi.basis);
    if details {
        say!("      {}", kpi.formula);
        for part in &kpi.parts {
            say!("      {:<36} {:>12}  of {}", part.name, kpi.unit.show(part.value), part.n);
        }
    }
}
