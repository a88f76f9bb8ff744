//! The scene of a world: its exceptions, its book and forecast, and the shop's settings with what things cost there.

use std::collections::BTreeMap;

use crate::domain::calendar::Calendar;
use crate::domain::case::{Case, CaseState};
use crate::domain::exception::{Exception, ExceptionState, ExceptionType as T, Signal, Subject};
use crate::domain::ids::{CaseId, ItemId, LocationId, SupplierId};
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::lab::simulate::world::{Why, World};
use crate::models::formulas;
use crate::rules::scene::Scene;
use crate::rules::settings::Settings;

use super::records::{self, BILLED, HERE, ITEM, LATER, LINE, at, day};

/// Does something with the scene of a world.
pub(super) fn with<R>(world: &World, work: impl FnOnce(&Scene<'_>) -> R) -> R {
    let book = crate::domain::book::Book::new(at(0), Calendar::utc(), records::of(world));
    let outlook = records::outlook(world);
    let exceptions = exceptions(world);
    let case = case(&exceptions);
    let scene = Scene {
        case: &case,
        exceptions: &exceptions,
        book: &book,
        outlook: &outlook,
        p: &odds(world),
        claimed: &BTreeMap::new(),
        promised: &BTreeMap::new(),
        settings: &settings(world),
    };
    work(&scene)
}

/// What is learnt of each type, so that the alarm is as probable as the world says.
fn odds(world: &World) -> BTreeMap<T, f64> {
    let mut odds: BTreeMap<T, f64> = codes(world).into_iter().map(|code| (code, world.p)).collect();
    // What the projection of a shortage says is corrected by what came of such: here the two together are the world's.
    let prior = T::ILow.prior();
    odds.entry(T::ILow).and_modify(|p| *p *= prior / formulas::low_stock_p(1.0, prior, prior));
    odds
}

fn codes(world: &World) -> Vec<T> {
    match world.code {
        "S-DELAY" => vec![T::SDelay, T::ILow],
        "S-OVERDUE" => vec![T::SOverdue, T::ILow],
        "R-SHORT" => vec![T::RShort, T::ILow],
        code => code.parse().into_iter().collect(),
    }
}

fn exceptions(world: &World) -> Vec<Exception> {
    codes(world).into_iter().map(|code| exception(code, subject(world, code))).collect()
}

fn subject(world: &World, code: T) -> Subject {
    let here = Subject::at(&ItemId::new(ITEM), &LocationId::new(HERE));
    let on_line = |line: &str, supplier: &str| Subject {
        supplier: Some(SupplierId::new(supplier)),
        po_line: Some(line.to_owned()),
        order: Some(records::order_id(line)),
        ..here.clone()
    };
    match code {
        T::SDelay | T::SOverdue => on_line(&format!("{LINE}0"), records::MAIN),
        T::RShort | T::ROver => on_line(BILLED, records::BILLER),
        T::FQty | T::FPrice => Subject { bill: Some(records::bill_id(LATER)), ..on_line(BILLED, records::BILLER) },
        T::FDupBill => Subject {
            bill: Some(records::bill_id(LATER)),
            document: world.bill.filter(|bill| bill.why == Why::Twice).map(|_| records::bill_id("1")),
            supplier: Some(SupplierId::new(records::BILLER)),
            ..Subject::default()
        },
        _ => here,
    }
}

fn exception(code: T, subject: Subject) -> Exception {
    let days = (day(-7), day(0));
    let signal = Signal::rule("simulated/1", code, subject, "2026-W45".to_owned(), days, "Something happened".to_owned());
    Exception {
        id: signal.exception_id(),
        signal,
        state: ExceptionState::Open,
        first_seen: at(0),
        last_seen: at(0),
        misses: 0,
        mode: Mode::Live,
    }
}

fn case(exceptions: &[Exception]) -> Case {
    Case {
        id: CaseId::new("case-simulated"),
        version: 1,
        state: CaseState::Open,
        exceptions: exceptions.iter().map(|exception| exception.id.clone()).collect(),
        codes: exceptions.iter().map(|exception| exception.signal.code).collect(),
        subject: exceptions.first().map_or_else(Subject::default, |exception| exception.signal.subject.clone()),
        links: Vec::new(),
        headline: String::new(),
        rank: None,
        evidence_hash: None,
        owner: None,
        wanted: false,
        opened_at: at(0),
        updated_at: at(0),
    }
}

/// The shop knows what things cost it, and how often its suppliers answer.
fn settings(world: &World) -> Settings {
    let mut settings = Settings::defaults();
    let (costs, left) = (&mut settings.costs, &mut settings.left);
    let (tariff, fails) = (&world.tariff, &world.fails);
    costs.transfer_fixed = Money::from_f64(tariff.transfer);
    costs.transfer_per_unit = Money::from_f64(tariff.transfer_each);
    costs.expedite_fixed = Money::from_f64(tariff.expedite);
    costs.expedite_rate = tariff.expedite_rate;
    costs.order_fixed = Money::from_f64(tariff.order);
    costs.change_fixed = Money::from_f64(tariff.change);
    costs.split_fixed = Money::from_f64(tariff.split);
    costs.contact = Money::from_f64(tariff.contact);
    costs.recount = Money::from_f64(tariff.recount);
    costs.paperwork = Money::from_f64(tariff.paperwork);
    costs.return_fixed = Money::from_f64(tariff.back);
    costs.return_per_unit = Money::from_f64(tariff.back_each);
    left.question_overdue = fails.ask_overdue;
    left.question = fails.ask;
    left.question_bill = fails.ask_bill;
    left.split = fails.split;
    left.block = fails.block;
    left.claim = fails.claim;
    left.reversal = fails.reverse;
    left.send_back = fails.back;
    left.recount = fails.recount;
    settings
}
