//! Holds the fake Odoo's answers against recorded ones.

