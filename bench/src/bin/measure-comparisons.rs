//! Measures whether the time of a refusal tells how much of a guess is right.
//!
//! `cargo run --release -p aralez-bench --bin measure-comparisons`, on an otherwise idle machine
#![allow(clippy::print_stdout)]

use aralez_bench::comparisons::{CRITICAL, measure};

/// Guesses of each kind.
const GUESSES: usize = 100_000;

fn main() {
    println!("| credentials | nearly right | all wrong | t | told apart (99 %) |");
    println!("|---|---|---|---|---|");
    for comparison in measure(GUESSES) {
        let [near, far] = comparison.means;
        let told = if comparison.t.abs() > CRITICAL {
            "yes"
        } else {
            "no"
        };
        println!(
            "| {} | {near:.1} ns | {far:.1} ns | {:.2} | {told} |",
            comparison.name, comparison.t
        );
    }
}
