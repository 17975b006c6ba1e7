use super::*;

fn bad() -> Digest {
    Digest::from([1; 32])
}

struct Bench {
    tries: Tries,
    now: Instant,
    group: GroupName,
}

impl Bench {
    fn new() -> Self {
        Self {
            tries: Tries::default(),
            now: Instant::now(),
            group: "edge".parse().unwrap(),
        }
    }

    fn after(&mut self, time: Duration) {
        self.now += time;
    }

    fn claims(&mut self, node: &str) -> bool {
        let node = node.parse().unwrap();
        self.tries.claim(&self.group, bad(), &node, self.now)
    }

    fn leaves(&mut self, node: &str) {
        let node = node.parse().unwrap();
        self.tries.left(&self.group, &node, self.now);
    }

    fn returns(&mut self, node: &str, running: Option<Digest>) {
        let node = node.parse().unwrap();
        self.tries.returned(&self.group, &node, running, self.now);
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn one_node_of_a_group_tries_at_a_time_and_the_next_when_it_is_over() {
    let mut bench = Bench::new();
    assert!(bench.claims("a"));
    assert!(!bench.claims("b"));
    bench.after(SURVIVED - SECOND);
    assert!(!bench.claims("b"));
    bench.after(SECOND);
    assert!(bench.claims("b"));
    assert!(!bench.claims("a") && !bench.claims("c"));
}

#[test]
fn other_groups_and_other_contents_do_not_wait() {
    let mut bench = Bench::new();
    assert!(bench.claims("a"));
    let (node, other) = ("b".parse().unwrap(), "core".parse().unwrap());
    assert!(bench.tries.claim(&other, bad(), &node, bench.now));
    let next = Digest::from([2; 32]);
    let group = bench.group.clone();
    assert!(bench.tries.claim(&group, next, &node, bench.now));
}

#[test]
fn after_a_node_that_died_of_its_try_the_others_wait_for_long() {
    let mut bench = Bench::new();
    assert!(bench.claims("a"));
    bench.after(SECOND * 20);
    bench.leaves("a");
    assert!(!bench.claims("b"));
    bench.after(SECOND * 3);
    bench.returns("a", None);
    bench.after(PAUSE - SECOND);
    assert!(!bench.claims("b"));
    bench.after(SECOND);
    assert!(bench.claims("b"));
}

#[test]
fn a_node_that_does_not_come_back_counts_as_dead() {
    let mut bench = Bench::new();
    assert!(bench.claims("a"));
    bench.leaves("a");
    bench.after(PAUSE - SECOND);
    assert!(!bench.claims("b"));
    bench.after(SECOND);
    assert!(bench.claims("b"));
}

#[test]
fn a_stream_that_breaks_while_the_content_serves_is_no_failure() {
    let mut bench = Bench::new();
    assert!(bench.claims("a"));
    bench.after(SECOND * 20);
    bench.leaves("a");
    bench.after(SECOND);
    bench.returns("a", Some(bad()));
    assert!(!bench.claims("b"));
    bench.after(SURVIVED);
    assert!(bench.claims("b"));
}

#[test]
fn a_node_that_leaves_after_its_try_was_over_is_no_failure() {
    let mut bench = Bench::new();
    assert!(bench.claims("a"));
    bench.after(SURVIVED);
    bench.leaves("a");
    bench.returns("a", None);
    assert!(bench.claims("b"));
    bench.leaves("c");
    bench.returns("c", None);
    assert!(!bench.claims("a"));
}
