//! Tests of what several modules say together.

mod bills;
