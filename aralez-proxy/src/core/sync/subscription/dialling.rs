//! From a pause to a stream: which server is dialled when, and what shortens a pause.

use std::time::Duration;

use crate::core::sync::subscription::{Action, GREETING, Hello, Moment, Phase, Subscription};

impl Subscription {
    /// Dials the first server immediately.
    pub(super) fn start(&mut self, actions: &mut Vec<Action>) {
        self.dial(Duration::ZERO, actions);
    }

    fn dial(&mut self, after: Duration, actions: &mut Vec<Action>) {
        let server = self.recover.server();
        self.phase = Phase::Dialling { server };
        actions.push(Action::Dial { server, after });
    }

    pub(super) fn connected_to(&mut self, moment: Moment, actions: &mut Vec<Action>) {
        let Phase::Dialling { server } = self.phase else {
            return;
        };
        if self.applying.is_some() {
            self.phase = Phase::Waiting { server };
        } else {
            self.greet(moment, server, actions);
        }
    }

    pub(super) fn greet(&mut self, moment: Moment, server: usize, actions: &mut Vec<Action>) {
        let until = moment.now + GREETING;
        self.phase = Phase::Greeting { server, until };
        actions.push(Action::Greet(Hello {
            held: self.held,
            refused: self.refusals.as_slice().to_vec(),
            cluster: self.cluster.clone(),
        }));
    }

    /// Schedules the next dial after a stream was lost, or could not be opened.
    pub(super) fn lost(&mut self, moment: Moment, actions: &mut Vec<Action>) {
        let after = match &self.phase {
            Phase::Idle => return,
            Phase::Dialling { server }
            | Phase::Waiting { server }
            | Phase::Greeting { server, .. } => self.recover.failed(*server, moment.random),
            Phase::Live(stream) => {
                let (server, lived) = (stream.server(), stream.lived(moment.now));
                self.recover.lost(server, lived, moment.random)
            }
        };
        // The result was owed to the lost stream.
        if let Some(applying) = &mut self.applying {
            applying.update_id = None;
        }
        let until = moment.now + after;
        self.reach.pauses(until, moment.now, moment.random);
        self.dial(after, actions);
    }

    /// Records whether the dialled server could be reached, whatever happened afterwards.
    pub(super) fn tried(&mut self, reached: bool) {
        if let Phase::Dialling { server } = self.phase {
            self.reach.tried(server, reached);
        }
    }

    /// Probes the unreachable servers, if that is due.
    pub(super) fn probe(&mut self, moment: Moment, actions: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Dialling { .. }) {
            let servers = self.reach.take(moment.now, moment.random);
            let probes = servers.into_iter().map(|server| Action::Probe { server });
            actions.extend(probes);
        }
    }

    /// Handles a successful probe of a server.
    pub(super) fn probed(&mut self, moment: Moment, server: usize, actions: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Dialling { .. }) {
            return;
        }
        if let Some(after) = self.reach.probed(server, moment.now, moment.random) {
            self.recover.prefer(server);
            self.dial(after, actions);
        }
    }

    /// Closes the stream and dials again.
    pub(super) fn reopen(
        &mut self,
        moment: Moment,
        why: impl Into<String>,
        actions: &mut Vec<Action>,
    ) {
        actions.push(Action::Close(why.into()));
        self.lost(moment, actions);
    }

    /// Handles a GoAway. Control asked for this pause, so it is not shortened.
    pub(super) fn sent_away(
        &mut self,
        moment: Moment,
        reason: &str,
        window: (Duration, Duration),
        actions: &mut Vec<Action>,
    ) {
        let after = match &self.phase {
            Phase::Greeting { server, .. } | Phase::Waiting { server } => {
                self.recover.not_welcomed(*server, window, moment.random)
            }
            Phase::Live(stream) => self
                .recover
                .sent_away(stream.server(), window, moment.random),
            Phase::Dialling { .. } | Phase::Idle => return,
        };
        if let Some(applying) = &mut self.applying {
            applying.update_id = None;
        }
        actions.push(Action::Close(format!("control sent GoAway: {reason}")));
        self.reach.waits();
        self.dial(after, actions);
    }
}
