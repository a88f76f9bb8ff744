//! One item: what is open on it, and what the records say.

use axum::extract::{Path, State};
use axum::response::Html;
use serde_json::{Value, json};

use super::cases_about;
use super::error::WebError;
use super::frame::Shell;
use super::queue_filter::Filter;
use super::session::SignedIn;
use super::templates;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::exception::Subject;
use crate::domain::ids::{ItemId, is_id};
use crate::domain::record::RecordRef;
use crate::reports::sheets::{OpenLine, OpenLines, PlaceRow, TermsRow};

/// `GET /items/{id}`
pub(super) async fn item(
    State(state): State<ChannelState>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Html<String>, WebError> {
    let id = ItemId::new(Some(id).filter(|id| is_id(id)).ok_or(WebError::NotFound("such item"))?);
    let sheet = state.sheets.item(&id).await.map_err(WebError::work)?.ok_or(WebError::NotFound("such item"))?;
    // One filter for both: the cases here are those that the link to the queue leads to.
    let filter = Filter { item: id.to_string(), ..Filter::default() };
    let open = cases_about::open(&state, &filter, &sheet.links).await?;
    let link = |record: &RecordRef| state.config.odoo.link_to(record);
    let place = |row: &PlaceRow| {
        json!({
            "name": plain(&row.name),
            "queue": Filter { place: row.location.to_string(), ..filter.clone() }.at_page(1),
            "on_hand": row.on_hand.to_string(),
            "waiting": row.waiting.to_string(),
            "available": row.available.to_string(),
            "value": row.value.map(|value| value.to_string()),
            "incoming": row.incoming.to_string(),
            "next": row.next.map(|day| day.to_string()),
            "sold": format!("{:.0}", row.sold),
            "rule": row.rule.as_ref().map(|(record, min, max)| {
                json!({ "text": format!("{min} to {max}"), "link": link(record), "source": record.to_string() })
            }),
        })
    };
    let terms = |row: &TermsRow| {
        json!({
            "supplier": supplier_of(row.supplier.0.as_str(), &row.supplier.1),
            "price": row.price.map(|price| price.to_string()),
            "least": row.least.to_string(),
            "lead_days": row.lead_days,
            "link": link(&row.record),
            "source": row.record.to_string(),
        })
    };
    // The chart of the place that sells most: one picture of how it goes.
    let busiest = sheet.places.iter().max_by(|a, b| a.sold.total_cmp(&b.sold)).filter(|place| place.sold > 0.0);
    let chart = match busiest {
        Some(place) => {
            let subject = Subject::at(&id, &place.location);
            let chart = state.charts.chart(&subject, state.clock.now()).await;
            chart.map(|chart| json!({ "svg": crate::cards::chart::svg(&chart), "place": plain(&place.name) }))
        }
        None => None,
    };
    let values = json!({
        "shell": Shell::of(sheet.label.as_str(), "/items", &who),
        "label": plain(&sheet.label),
        "category": plain(&sheet.category),
        "unit": plain(&sheet.unit),
        "currency": state.config.rules.money.currency,
        "cost": sheet.cost.map(|cost| cost.to_string()),
        "list_price": sheet.list_price.map(|price| price.to_string()),
        "sellable": sheet.sellable,
        "record": { "text": sheet.record.to_string(), "link": link(&sheet.record) },
        "places": sheet.places.iter().map(place).collect::<Vec<_>>(),
        "terms": sheet.terms.iter().map(terms).collect::<Vec<_>>(),
        "open": lines_view(&state, &sheet.open),
        "cases": open.rows,
        "more": open.more,
        "queue": filter.at_page(1),
        "chart": chart,
    });
    Ok(Html(templates::render("item.html", &values)?))
}

fn supplier_of(id: &str, name: &str) -> Value {
    json!({ "id": is_id(id).then_some(id), "name": plain(name) })
}

/// Order lines on their way, for the pages of items and suppliers.
pub(super) fn lines_view(state: &ChannelState, open: &OpenLines) -> Value {
    let line = |line: &OpenLine| {
        json!({
            "order": plain(&line.order),
            "supplier": supplier_of(line.supplier.0.as_str(), &line.supplier.1),
            "item": { "id": is_id(line.item.0.as_str()).then_some(line.item.0.as_str()), "name": plain(&line.item.1) },
            "place": plain(&line.place),
            "ordered": line.ordered.to_string(),
            "open": line.open.to_string(),
            "value": line.value.map(|value| value.to_string()),
            "due": line.due.to_string(),
            "late": line.late,
            "source": line.record.to_string(),
            "link": state.config.odoo.link_to(&line.record),
        })
    };
    json!({
        "lines": open.lines.iter().map(line).collect::<Vec<_>>(),
        "shown": open.lines.len(),
        "of": open.of,
        "value": open.value.to_string(),
        "unpriced": open.unpriced,
        "late": open.late,
    })
}
