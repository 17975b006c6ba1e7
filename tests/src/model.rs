//! A fleet as a model: the product's own state machines, joined by a network that a seed makes fail. One seed gives one run.
//!
//! The product provides the sessions, the fleet and the proofs of control, the subscription and the worker of each proxy, their marks,
//! record sets, wire messages and outboxes. The model adds the environment: time, wires, disks, deaths and an operator. After every step it
//! checks the events against the promises ([`broken`]); [`planted`] shows that it would detect a violation.

pub mod broken;
pub mod content;
pub mod control;
pub mod disk;
pub mod node;
pub mod planted;
pub mod random;
pub mod setup;
pub mod wire;
pub mod world;

pub use broken::Broken;
pub use planted::Planted;
pub use world::{Run, run};
