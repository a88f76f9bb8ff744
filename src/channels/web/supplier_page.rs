//! Suppliers: a list to find one in, and of one what is open on it and what the records say.

use axum::extract::{Path, Query, State};
use axum::response::Html;
use serde::Deserialize;
use serde_json::json;

use super::cases_about;
use super::error::WebError;
use super::frame::Shell;
use super::item_page::lines_view;
use super::queue_filter::Filter;
use super::session::SignedIn;
use super::templates;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::ids::{SupplierId, is_id};
use crate::reports::kpi::Kpi;
use crate::reports::sheets::SupplierRow;

/// Suppliers on one page of the list.
const ROWS: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    text: String,
    page: String,
}

/// `GET /suppliers`
pub(super) async fn suppliers(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    let text: String = asked.text.trim().chars().take(80).collect();
    let page = asked.page.parse().unwrap_or(1_usize).clamp(1, 10_000);
    let skip = (page - 1) * ROWS;
    let (rows, of) = state.sheets.suppliers(&text, skip, ROWS).await.map_err(WebError::work)?;
    let link = |page: usize| {
        let mut out = form_urlencoded::Serializer::new(String::new());
        if !text.is_empty() {
            out.append_pair("text", &text);
        }
        format!("/suppliers?{}", out.append_pair("page", &page.to_string()).finish())
    };
    let row = |row: &SupplierRow| {
        json!({
            "id": is_id(row.id.as_str()).then_some(row.id.as_str()),
            "name": plain(&row.name),
            "open": row.open,
            "value": row.value.to_string(),
            "late": row.late,
        })
    };
    let values = json!({
        "shell": Shell::of("Suppliers", "/suppliers", &who),
        "currency": state.config.rules.money.currency,
        "text": plain(&text),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
        "of": of,
        "before": (page > 1).then(|| link(page - 1)),
        "after": (skip + rows.len() < of).then(|| link(page + 1)),
    });
    Ok(Html(templates::render("suppliers.html", &values)?))
}

/// `GET /suppliers/{id}`
pub(super) async fn supplier(
    State(state): State<ChannelState>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Html<String>, WebError> {
    let id = SupplierId::new(Some(id).filter(|id| is_id(id)).ok_or(WebError::NotFound("such supplier"))?);
    let sheet = state.sheets.supplier(&id).await.map_err(WebError::work)?.ok_or(WebError::NotFound("such supplier"))?;
    let filter = Filter { supplier: id.to_string(), ..Filter::default() };
    let open = cases_about::open(&state, &filter, &sheet.links).await?;
    let figure = |kpi: &Kpi| {
        json!({
            "name": kpi.name,
            "shown": kpi.shown(),
            "formula": kpi.formula,
            "basis": kpi.basis,
            "few": kpi.is_thin(),
        })
    };
    let values = json!({
        "shell": Shell::of(sheet.name.as_str(), "/suppliers", &who),
        "name": plain(&sheet.name),
        "currency": state.config.rules.money.currency,
        "record": { "text": sheet.record.to_string(), "link": state.config.odoo.link_to(&sheet.record) },
        "from": sheet.period.from.to_string(),
        "to": sheet.period.to.to_string(),
        "figures": sheet.figures.iter().map(figure).collect::<Vec<_>>(),
        "unpaid": { "bills": sheet.unpaid.0, "value": sheet.unpaid.1.to_string() },
        "open": lines_view(&state, &sheet.open),
        "cases": open.rows,
        "more": open.more,
        "queue": filter.at_page(1),
    });
    Ok(Html(templates::render("supplier.html", &values)?))
}
