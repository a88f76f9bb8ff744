//! Events held against made-up records.
