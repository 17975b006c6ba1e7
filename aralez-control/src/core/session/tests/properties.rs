//! Random interleavings of views, answers and reconnects against a model of a proxy.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;
use proptest::prelude::*;

use super::*;

const HOSTS: [&str; 3] = ["a.example", "b.example", "c.example"];
/// The node refuses hosts with this tag or a higher one.
const POISON_FROM: u64 = 6;

#[derive(Clone, Debug)]
enum Op {
    /// A commit that sets a host's content.
    Put(usize, u64),
    /// A commit that removes a host.
    Delete(usize),
    /// A commit that changes nothing.
    Rename,
    /// Discovery finds this endpoint of a host, or loses it.
    Toggle(usize, u16),
    /// The node answers the update that it was sent.
    Answer,
    /// The first outstanding derivation completes.
    Make,
    /// The stream breaks and reconnects; the node may have applied the update that it was sent.
    Reconnect { applied: bool },
    /// Control restarts and knows nothing from before the newest view, except what it can rebuild from its history.
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    let host = 0..HOSTS.len();
    prop_oneof![
        3 => (host.clone(), 1..=8_u64).prop_map(|(host, tag)| Op::Put(host, tag)),
        1 => host.clone().prop_map(Op::Delete),
        1 => Just(Op::Rename),
        3 => (host, 1..=4_u16).prop_map(|(host, port)| Op::Toggle(host, port)),
        5 => Just(Op::Answer),
        4 => Just(Op::Make),
        1 => any::<bool>().prop_map(|applied| Op::Reconnect { applied }),
        1 => Just(Op::Restart),
    ]
}

struct World {
    now: Instant,
    spec: Spec,
    revision: u64,
    /// The content of each commit.
    history: BTreeMap<u64, Spec>,
    recent: Arc<Recent>,
    session: Session,
    runs: Option<SharedSnapshot>,
    pending: Option<Update>,
    /// The outstanding derivations of this session.
    wanted: VecDeque<Derivation>,
    /// The sets of leaves that the node refused: no such set may be sent again as a whole.
    refused: Vec<HashSet<Digest>>,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let spec = spec(&[("a.example", 1, &[1])]);
        let recent = recent(&snapshot(1, &spec));
        let opened = open(hello(None), &recent, now);
        let mut world = Self {
            now,
            history: BTreeMap::from([(1, spec.clone())]),
            spec,
            revision: 1,
            recent,
            session: opened.session,
            runs: None,
            pending: None,
            wanted: VecDeque::new(),
            refused: Vec::new(),
        };
        world.take(opened.actions);
        world
    }

    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(update) => self.receive(update),
                Action::Refused { .. } => {}
                Action::AskDigest { question } => {
                    let event = digest(question, self.runs.as_ref().unwrap());
                    self.told(event);
                }
                Action::AskDetail { question, buckets } => {
                    let event = detail(question, self.runs.as_ref().unwrap(), &buckets);
                    self.told(event);
                }
                Action::AskToTry(root) => panic!("{} is not suspect", root.short()),
                Action::Recall(version) => {
                    let view = self.made_again(version.revision);
                    self.told(Event::Recalled(view));
                }
                Action::Derive(needed) => {
                    assert!(self.pending.is_none(), "wanted beside an update");
                    self.wanted.push_back(needed);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Completes the first derivation, even if the session no longer needs it.
    fn make(&mut self) {
        if let Some(needed) = self.wanted.pop_front() {
            self.told(derived(&needed));
        }
    }

    /// The content of a commit, with the current endpoints.
    fn made_again(&self, revision: u64) -> SharedSnapshot {
        let mut spec = self.history[&revision].clone();
        for (name, host) in &mut spec {
            if let Some(now) = self.spec.get(name) {
                host.ports.clone_from(&now.ports);
            }
        }
        snapshot(revision, &spec)
    }

    fn told(&mut self, event: Event) {
        let actions = self.session.handle(event, self.now);
        self.take(actions);
    }

    fn receive(&mut self, update: Update) {
        assert!(self.pending.is_none(), "two updates in flight");
        let root = |snapshot: &SharedSnapshot| snapshot.version().root;
        if let Some(from) = update.from.version() {
            assert_eq!(Some(from.root), self.runs.as_ref().map(root));
        }
        if let Base::Reported(_, delta) = &update.from {
            let runs = self.runs.as_ref().unwrap();
            assert_eq!(runs.records().with(delta).root(), root(&update.to));
        }
        if let Some(runs) = &self.runs {
            let order = update.to.version().order(&runs.version());
            assert!(order.is_ge(), "backwards to {}", update.to.version());
            assert!(
                order.is_gt() || root(&update.to) != root(runs),
                "an update that changes nothing"
            );
        }
        let records = update.to.records();
        let leaves: HashSet<Digest> = records.iter().map(|record| record.leaf()).collect();
        let again = self
            .refused
            .iter()
            .any(|refused| refused.is_subset(&leaves));
        assert!(!again, "refused content was sent again");
        self.pending = Some(update);
    }

    /// The hosts of a snapshot that the node refuses.
    fn poison(to: &SharedSnapshot) -> Vec<&'static str> {
        let is_poison = |name: &&&str| {
            to.resources()
                .hosts()
                .iter()
                .filter(|(pattern, _)| pattern.to_string() == **name)
                .any(|(_, host)| host.rules.timeouts.total.unwrap().as_secs() >= POISON_FROM)
        };
        HOSTS.iter().filter(is_poison).copied().collect()
    }

    fn answer(&mut self) {
        let Some(update) = self.pending.take() else {
            return;
        };
        let poison = Self::poison(&update.to);
        let event = if poison.is_empty() {
            self.runs = Some(Arc::clone(&update.to));
            ack(&update)
        } else {
            let leaves = poison.iter().map(|name| leaf(&update.to, &host_key(name)));
            self.refused.push(leaves.flatten().collect());
            Event::Nack {
                update_id: update.id,
                kept: self.runs.as_ref().map(|runs| runs.version()),
                faults: poison.into_iter().map(fault_of_host).collect(),
            }
        };
        let actions = self.session.handle(event, self.now);
        self.take(actions);
    }

    fn publish(&mut self, commit: bool) {
        self.revision += u64::from(commit);
        if commit {
            self.history.insert(self.revision, self.spec.clone());
        }
        let next = snapshot(self.revision, &self.spec);
        if let Some(recent) = self.recent.followed_by(&next) {
            self.recent = Arc::new(recent);
            let event = Event::View(Arc::clone(&self.recent));
            let actions = self.session.handle(event, self.now);
            self.take(actions);
        }
    }

    fn reconnect(&mut self, applied: bool, memory: Option<NodeMemory>) {
        if let Some(update) = self.pending.take()
            && applied
            && Self::poison(&update.to).is_empty()
        {
            self.runs = Some(update.to);
        }
        let held = self.runs.as_ref().map(|runs| runs.version());
        let recent = Arc::clone(&self.recent);
        let pace = Pace::default();
        let opened = Session::open(hello(held), &CLUSTER, memory, recent, pace, self.now).unwrap();
        self.session = opened.session;
        self.wanted.clear();
        self.take(opened.actions);
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Put(host, tag) => {
                let ports = vec![9];
                let host = self
                    .spec
                    .entry(HOSTS[*host].to_owned())
                    .or_insert(HostSpec { tag: 0, ports });
                host.tag = *tag;
                self.publish(true);
            }
            Op::Delete(host) => {
                self.spec.remove(HOSTS[*host]);
                self.publish(true);
            }
            Op::Rename => self.publish(true),
            Op::Toggle(host, port) => {
                if let Some(host) = self.spec.get_mut(HOSTS[*host]) {
                    match host.ports.iter().position(|known| known == port) {
                        Some(at) => drop(host.ports.remove(at)),
                        None => host.ports.push(*port),
                    }
                    self.publish(false);
                }
            }
            Op::Answer => self.answer(),
            Op::Make => self.make(),
            Op::Reconnect { applied } => self.reconnect(*applied, Some(self.session.memory())),
            Op::Restart => {
                self.recent = recent(&Arc::clone(self.recent.newest()));
                // Refusals under another root are lost: the node refuses again.
                self.refused.clear();
                self.reconnect(false, None);
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..20 {
            self.answer();
            self.make();
        }
        let rests = self.pending.is_none() && self.wanted.is_empty();
        assert!(rests, "it never comes to rest");
    }

    fn check_converged(&self) {
        let newest = self.recent.newest();
        let state = self.session.state();
        if Self::poison(newest).is_empty() {
            let runs = self.runs.as_ref().expect("something runs").version();
            let target = newest.version();
            assert!(runs.root == target.root && runs.order(&target).is_eq());
            assert_eq!(state.refused, None);
            return;
        }
        assert!(state.refused.is_some(), "the refusal is not shown");
        let Some(runs) = &self.runs else {
            return;
        };
        assert!(Self::poison(runs).is_empty());
        for (pool, _, _) in runs.resources().pools().iter() {
            if newest.resources().pools().contains(pool) {
                let endpoints = |view: &SharedSnapshot| {
                    view.resources().pools().endpoints(pool).map(<[_]>::to_vec)
                };
                assert_eq!(endpoints(runs), endpoints(newest), "{pool}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_node_always_comes_to_the_newest_that_it_takes(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for op in &ops {
            world.run(op);
        }
        world.settle();
        world.check_converged();
    }
}
