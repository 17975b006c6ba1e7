use super::*;

fn root(number: u8) -> Digest {
    Digest::from([number; 32])
}

fn suspects(marks: &Marks) -> Vec<Digest> {
    marks.suspects().map(|(root, _)| root).collect()
}

fn state(marks: &Marks, number: u8) -> Option<TrialState> {
    let mut suspects = marks.suspects();
    suspects.find_map(|(suspect, state)| (suspect == root(number)).then_some(state))
}

fn after(before: LastExit) -> Boot {
    Boot {
        boot_id: vec![1],
        machine: "one".to_owned(),
        before,
    }
}

/// Starts a boot after the previous one ended like `before`, and runs these contents one after the other.
fn runs(marks: &mut Marks, before: LastExit, roots: &[u8]) {
    marks.boot(after(before));
    roots.iter().for_each(|number| marks.swap(root(*number)));
}

/// Returns how many consecutive boots of content 1 must end like this until it is suspect; at most 50 are tried.
fn deaths_until_suspect(end: LastExit) -> Option<usize> {
    let mut marks = Marks::default();
    runs(&mut marks, LastExit::Unknown, &[1]);
    for death in 1..=50 {
        marks.boot(after(end));
        if suspects(&marks) == [root(1)] {
            return Some(death);
        }
        marks.swap(root(1));
    }
    None
}

#[test]
fn a_content_is_suspect_after_two_deaths_with_evidence_and_after_four_without() {
    assert_eq!(deaths_until_suspect(LastExit::Fault), Some(2));
    assert_eq!(deaths_until_suspect(LastExit::Unknown), Some(4));
}

#[test]
fn evidence_and_unexplained_deaths_add_up() {
    let mut marks = Marks::default();
    runs(&mut marks, LastExit::Unknown, &[1]);
    runs(&mut marks, LastExit::Fault, &[1]);
    runs(&mut marks, LastExit::Unknown, &[1]);
    assert_eq!(suspects(&marks), []);
    marks.boot(after(LastExit::Unknown));
    assert_eq!(suspects(&marks), [root(1)]);
}

#[test]
fn the_signal_to_leave_and_errors_of_the_surroundings_never_make_a_content_suspect() {
    assert_eq!(deaths_until_suspect(LastExit::Left), None);
    assert_eq!(deaths_until_suspect(LastExit::Surroundings), None);
}

#[test]
fn a_boot_of_the_machine_never_makes_a_content_suspect() {
    let mut marks = Marks::default();
    for number in 0..50 {
        marks.boot(Boot {
            machine: format!("boot {number}"),
            ..after(LastExit::Unknown)
        });
        assert_eq!(suspects(&marks), []);
        marks.swap(root(1));
    }
    // If the kernel's boot id is unavailable, deaths count.
    for _ in 0..4 {
        marks.boot(Boot::default());
        marks.swap(root(1));
    }
    assert_eq!(suspects(&marks), [root(1)]);
}

#[test]
fn the_signal_to_leave_between_deaths_begins_the_count_anew() {
    let mut marks = Marks::default();
    for _ in 0..20 {
        runs(&mut marks, LastExit::Left, &[1]);
        runs(&mut marks, LastExit::Fault, &[1]);
    }
    assert_eq!(suspects(&marks), []);
}

#[test]
fn an_error_of_the_surroundings_between_deaths_neither_counts_nor_clears() {
    let mut marks = Marks::default();
    runs(&mut marks, LastExit::Left, &[1]);
    runs(&mut marks, LastExit::Fault, &[1]);
    runs(&mut marks, LastExit::Surroundings, &[1]);
    assert_eq!(suspects(&marks), []);
    marks.boot(after(LastExit::Fault));
    assert_eq!(suspects(&marks), [root(1)]);
}

#[test]
fn a_content_that_served_a_minute_is_blamed_only_for_deaths_in_the_first_minute_of_a_boot() {
    let mut marks = Marks::default();
    for _ in 0..50 {
        runs(&mut marks, LastExit::Fault, &[1]);
        marks.proved(root(1));
        // Switching away and back within a boot does not start a second trial.
        marks.swap(root(2));
        marks.swap(root(1));
    }
    assert_eq!(suspects(&marks), []);
    assert!(marks.is_good(root(1)) && !marks.is_lasting(root(1)));
    runs(&mut marks, LastExit::Fault, &[1]);
    runs(&mut marks, LastExit::Fault, &[1]);
    marks.boot(after(LastExit::Fault));
    assert_eq!(suspects(&marks), [root(1)]);
    assert!(!marks.is_good(root(1)));
}

#[test]
fn a_content_that_served_24_hours_on_this_node_is_never_blamed() {
    let mut marks = Marks::default();
    let hour = Duration::from_secs(3600);
    // In pieces: a node that is restarted every few hours accumulates the same time.
    for _ in 0..6 {
        runs(&mut marks, LastExit::Left, &[1]);
        marks.proved(root(1));
        marks.served(root(1), hour * 4);
    }
    assert!(marks.is_lasting(root(1)));
    for _ in 0..50 {
        runs(&mut marks, LastExit::Fault, &[1]);
    }
    assert_eq!(suspects(&marks), []);
}

#[test]
fn only_what_ran_at_the_end_is_blamed() {
    let mut marks = Marks::default();
    runs(&mut marks, LastExit::Left, &[1, 2]);
    runs(&mut marks, LastExit::Fault, &[1, 2]);
    marks.boot(after(LastExit::Fault));
    assert_eq!(suspects(&marks), [root(2)]);
}

#[test]
fn two_deaths_with_a_boot_between_them_that_ended_otherwise_are_not_in_a_row() {
    let mut marks = Marks::default();
    runs(&mut marks, LastExit::Left, &[1]);
    runs(&mut marks, LastExit::Fault, &[1, 2]);
    marks.proved(root(2));
    runs(&mut marks, LastExit::Fault, &[2, 1]);
    marks.boot(after(LastExit::Fault));
    assert_eq!(suspects(&marks), []);
}

/// Returns marks where content 1 is suspect and content 2 serves.
fn suspect() -> Marks {
    let mut marks = Marks::default();
    runs(&mut marks, LastExit::Left, &[1]);
    runs(&mut marks, LastExit::Fault, &[1]);
    runs(&mut marks, LastExit::Fault, &[2]);
    assert_eq!(state(&marks, 1), Some(TrialState::Suspect));
    marks
}

#[test]
fn a_suspect_stays_one_whatever_ends_the_boots_of_what_serves_instead() {
    let mut marks = suspect();
    for end in [LastExit::Left, LastExit::Unknown, LastExit::Surroundings] {
        runs(&mut marks, end, &[2]);
        assert_eq!(state(&marks, 1), Some(TrialState::Suspect));
    }
}

#[test]
fn a_suspect_that_serves_on_its_one_more_try_is_cleared() {
    let mut marks = suspect();
    marks.swap(root(1));
    marks.proved(root(1));
    assert_eq!(suspects(&marks), []);
    assert!(marks.is_good(root(1)));
}

#[test]
fn a_death_on_the_one_more_try_is_fatal_whoever_saw_it() {
    for end in [LastExit::Fault, LastExit::Unknown] {
        let mut marks = suspect();
        marks.swap(root(1));
        marks.boot(after(end));
        assert_eq!(state(&marks, 1), Some(TrialState::Fatal));
        // An operator has it sent again, and it serves.
        marks.swap(root(1));
        marks.proved(root(1));
        assert_eq!(suspects(&marks), []);
    }
}

#[test]
fn a_try_that_was_ended_by_the_signal_to_leave_or_by_the_machine_is_no_death_on_it() {
    for end in [LastExit::Left, LastExit::Surroundings] {
        let mut marks = suspect();
        marks.swap(root(1));
        marks.boot(after(end));
        assert_eq!(state(&marks, 1), Some(TrialState::Suspect));
    }
    let mut marks = suspect();
    marks.swap(root(1));
    marks.boot(Boot {
        machine: "another".to_owned(),
        ..after(LastExit::Unknown)
    });
    assert_eq!(state(&marks, 1), Some(TrialState::Suspect));
}

#[test]
fn signals_of_defects_are_evidence_and_signals_of_people_are_not() {
    for signal in [SIGSEGV, SIGABRT, SIGBUS] {
        assert_eq!(LastExit::of_signal(signal), LastExit::Fault);
        assert_eq!(LastExit::of_code(128 + signal), LastExit::Fault);
    }
    let kill = 9;
    assert_eq!(LastExit::of_signal(kill), LastExit::Unknown);
    assert_eq!(LastExit::of_signal(15), LastExit::Left);
    assert_eq!(LastExit::of_code(128 + kill), LastExit::Unknown);
    // Rust's exit code for a panic of the main thread.
    assert_eq!(LastExit::of_code(101), LastExit::Fault);
    for own in [1, 2, 203] {
        assert_eq!(LastExit::of_code(own), LastExit::Surroundings);
    }
    assert_eq!(LastExit::of_code(0), LastExit::Left);
}

const SIGSEGV: i32 = 11;
const SIGABRT: i32 = 6;
const SIGBUS: i32 = 7;

#[test]
fn a_thousand_versions_leave_few_marks() {
    let mut marks = Marks::default();
    for number in 0..1000_u32 {
        let root = Digest::of_fields(&[&number.to_le_bytes()]);
        marks.boot(after(LastExit::Fault));
        marks.swap(root);
        if number % 3 == 0 {
            marks.proved(root);
        }
    }
    assert!(marks.trials.len() <= MOST_TRIALS && marks.good.len() <= MOST_GOOD);
}
