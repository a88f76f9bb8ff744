//! `reeve supplier`: what a supplier has done, in figures.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;

use super::{Outcome, open, print_json};
use crate::cards::plain;
use crate::config::Config;
use crate::pipeline::moment::Moments;
use crate::rules::supplier::{BASIS, Counted, Otif, Spread, Summary, named, summaries};

/// Whom.
#[derive(Debug, Args)]
pub(super) struct SupplierArgs {
    /// Its name, a part of its name, or its id in the ERP.
    name: String,
}

pub(super) async fn run(config: Config, args: SupplierArgs, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(&config).await?;
    let clock = open::clock_of(&store, &config).await?;
    let config = Arc::new(config);
    let moment = Moments::new(store, Arc::clone(&config), clock).now().await?;
    let ids = named(&moment.book, &args.name);
    if ids.is_empty() {
        bail!("no supplier is called {:?}; its name as in Odoo, a part of it, or its id", args.name);
    }
    let found: Vec<Summary> = ids.iter().flat_map(|id| summaries(&moment.book, &config.rules, id)).collect();
    if json {
        print_json(&found)?;
        return Ok(Outcome::Fine);
    }
    for summary in &found {
        print(summary, &config.rules.money.currency);
    }
    if found.is_empty() {
        say!("Nothing was ordered from {}.", plain(&args.name));
    }
    Ok(Outcome::Fine)
}

fn print(it: &Summary, currency: &str) {
    let company = it.company.as_ref().map_or_else(String::new, |company| format!(" for {}", plain(company)));
    say!("{}{company}", plain(&it.name));
    say!("  in time and in full   {}; of the newest {}", otif(&it.all), otif(&it.newest));
    say!("                        {BASIS}");
    say!("  days after promise    {}", spread(&it.lateness, "days"));
    let shift =
        it.lead_shift.map_or_else(String::new, |days| format!("; the newest take {days:+.1} days beside the price list"));
    say!("  lead time             {}{shift}", spread(&it.lead_time, "days"));
    say!("  came beside ordered   {}", spread(&it.quantity, "%"));
    for (what, counted) in
        [("open", &it.open), ("overdue", &it.overdue), ("not billed", &it.unbilled), ("billed, not owed", &it.disputed)]
    {
        say!("  {what:<20}  {}", lines(counted, currency));
    }
    for price in &it.prices {
        let steps: Vec<String> =
            price.steps.iter().map(|(day, order, price)| format!("{price} from {day} ({order})")).collect();
        let listed = price.listed.map_or_else(String::new, |listed| format!("; listed {listed}"));
        say!("  price of {}: {}{listed}", plain(&price.name), steps.join(", "));
    }
}

fn otif(it: &Otif) -> String {
    let percent = it.percent.map_or_else(|| "–".to_owned(), |percent| format!("{percent:.1} %"));
    format!("{percent} ({} of {} lines)", it.good, it.lines)
}

fn spread(it: &Spread, unit: &str) -> String {
    match (it.mean, it.sd) {
        (Some(mean), Some(sd)) => format!("{mean:.1} {unit} ± {sd:.1} over {} lines", it.n),
        (Some(mean), None) => format!("{mean:.1} {unit}, one line"),
        _ => "nothing came yet".to_owned(),
    }
}

fn lines(it: &Counted, currency: &str) -> String {
    if it.lines == 0 { "nothing".to_owned() } else { format!("{} {currency} on {} lines", it.value, it.lines) }
}
