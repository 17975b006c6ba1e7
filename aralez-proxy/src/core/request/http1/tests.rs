//! What holds for every message: however its bytes are split, it is read the same; and what goes on is read again as what it was.

mod again;
mod messages;
mod splits;
