//! Numbers only: detectors and the arithmetic behind them. No I/O, no clock, no vendor.
