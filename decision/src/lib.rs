//! What a proxy does with a request: its route, the policies of the route, the answer or the destination, and the header edits.
//!
//! Everything here is a pure function of a table of routes and a plain view of a request, independent of the protocol and of endpoints. A
//! proxy decides about its traffic with this code, and `aralez-ctl explain` shows decisions with the same code. Time, randomness and the
//! state of limiters are passed in.

pub mod additions;
pub mod address_filter;
pub mod answer;
pub mod ask;
pub mod authorization;
pub mod client;
pub mod decide;
pub mod edits;
pub mod fields;
pub mod file_name;
pub mod limits;
pub mod observe;
pub mod octets;
pub mod path_edit;
mod percent;
pub mod policy;
pub mod pseudonym;
pub mod rejection;
pub mod route;
pub mod state;
pub mod table;
pub mod templates;
pub mod trace;
mod view;

pub use view::{Context, Fields, Pairs, Request};
