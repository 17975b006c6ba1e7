//! Bad documents, each with the very words that a person reads.

use super::*;

fn faults(text: &str) -> String {
    read_main(text).expect_err("faulty").to_string()
}
