//! What control decides: pure and synchronous, without files, sockets, clocks or randomness.

pub mod catalog;
pub mod change;
pub mod checkpoint;
pub mod claim;
pub mod clients;
pub mod commit;
pub mod descriptors;
pub mod discovery;
pub mod dropped;
pub mod fleet;
pub mod heads;
pub mod hold;
pub mod layers;
pub mod loss;
pub mod node;
pub mod observer;
pub mod proof;
pub mod roster;
pub mod session;
pub mod source;
pub mod status;
pub mod store;
pub mod touched;
pub mod tries;
pub mod turned_away;
pub mod views;
