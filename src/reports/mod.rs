//! What is read and never changed: the figures of the work, what the records say of an item or a supplier, and the audit of
//! everything that was decided.

pub mod audit;
pub mod kpi;
pub mod sheets;
