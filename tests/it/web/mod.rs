//! The page: over real HTTP, and in a real browser.

mod browser;
mod http;
mod world;
