//! Properties of every message: it is read the same however its bytes are split, and a forwarded message is read as what it was.

mod again;
mod messages;
mod splits;
