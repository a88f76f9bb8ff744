//! What is read and never changed: the figures of the work, and the audit of everything that was decided.

pub mod audit;
pub mod kpi;
