//! Responses with files, as far as they can be decided without opening one: which roots serve which folders, the fields, the preconditions,
//! the ranges.

pub mod conditions;
pub mod encodings;
pub mod media_type;
pub mod ranges;
pub mod response;
pub mod roots;
pub mod validators;
