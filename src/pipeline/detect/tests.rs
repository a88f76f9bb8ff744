//! Detectors on books built by hand.
