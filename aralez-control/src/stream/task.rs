//! The task of one stream, from `Hello` to close: passes events to the session and the session's actions to the wire.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::wire::control as wire;
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};
use tracing::{debug, info, warn};

use crate::core::claim::Claim;
use crate::core::node::{NodeFacts, StreamId};
use crate::core::peer::PeerIdentity;
use crate::core::session::{
    Action, Base, Closing, Event, GoAway, Hello, OpenedSession, Session, Update,
};

use super::command::Command;
use super::greeting::{greet, note_turned_away, refuse_claim, turn_away};
use super::hub::{FullPlace, Hub, Recents};
use super::message::{self, Inbound};
use super::outbox::Outbox;
use super::outgoing::{Gone, Sender};

mod asking;

/// Time limit for sending the last messages of a closing stream.
const FLUSH: Duration = Duration::from_secs(2);

/// Serves one stream from `Hello` until it closes.
pub(super) async fn run(
    hub: &Arc<Hub>,
    peer: PeerIdentity,
    mut inbound: Streaming<wire::NodeMessage>,
    out: Sender,
) {
    let hello = match greet(&mut inbound).await {
        Ok(hello) => hello,
        Err(status) => {
            hub.parts.observer.stream_refused();
            debug!(%peer, reason = status.message(), "stream refused before Hello");
            let _ = out.send(Err(status)).await;
            return;
        }
    };
    let facts = NodeFacts::introduced(peer, &hello);
    let node = facts.node.clone();
    // Before the head is read: this may raise the generation, and that decides whether the proxy can follow.
    hub.catch_up(&facts.group, &hello).await;
    let now = Instant::now();
    // Before the claim: a proxy that cannot follow must not take the name from one that can.
    let head = hub.head_of(&facts.group);
    if let Err(turned_away) = hello.can_follow(&hub.parts.cluster, head) {
        note_turned_away(hub, facts, hello.held, &turned_away, now);
        turn_away(hub, &node, turned_away.go_away, &out).await;
        return;
    }
    let (sender, commands) = mpsc::unbounded_channel();
    let (claim, id) = hub.claim(&node, &hello, sender.clone(), now);
    // The process that lost the name to a takeover presumably still runs. It claims the name again when it reconnects.
    if matches!(claim, Claim::Duplicate | Claim::TakesOver) {
        hub.parts.fleet.lock().duplicated(&node, now);
    }
    let begun = refuse_claim(claim, &node);
    let begun = begun.and_then(|()| Stream::begin(hub, (facts, hello), id, sender));
    match begun {
        Ok((stream, next)) => stream.serve(next, inbound, commands, &out).await,
        Err(farewell) => turn_away(hub, &node, farewell, &out).await,
    }
    hub.release(&node, id);
}

/// The stream of one proxy.
struct Stream {
    hub: Arc<Hub>,
    id: StreamId,
    node: NodeName,
    group: GroupName,
    session: Session,
    recents: watch::Receiver<Arc<Recents>>,
    /// Sends commands to this stream itself.
    commands: mpsc::UnboundedSender<Command>,
    outbox: Outbox,
    /// When the update in flight was queued.
    sent: Option<Instant>,
    /// Set while a full resync is in flight.
    full: Option<FullPlace>,
}

impl Stream {
    /// Opens the session and queues the welcome and the first actions.
    fn begin(
        hub: &Arc<Hub>,
        (facts, hello): (NodeFacts, Hello),
        id: StreamId,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Result<(Self, ControlFlow<&'static str>), GoAway> {
        let now = Instant::now();
        let mut recents = hub.recents();
        let recent = recents.borrow_and_update().of(&facts.group);
        let memory = hub.parts.fleet.lock().memory(&facts.node);
        let parts = &hub.parts;
        let opened = Session::open(hello, &parts.cluster, memory, recent, parts.pace, now);
        // `can_follow` passed a moment ago, and heads only get newer.
        let opened = opened.map_err(|turned_away| turned_away.go_away)?;
        let OpenedSession {
            session,
            resume,
            expected,
            actions,
        } = opened;
        let peer = facts.peer.map(|peer| peer.to_string());
        info!(node = %facts.node, group = %facts.group, release = facts.proxy_version, peer, ?resume, "proxy connected");
        let mut stream = Self {
            hub: Arc::clone(hub),
            id,
            node: facts.node.clone(),
            group: facts.group.clone(),
            session,
            recents,
            commands,
            outbox: Outbox::default(),
            sent: None,
            full: None,
        };
        parts.observer.stream_opened();
        let state = stream.session.state();
        hub.tries_after_return((&stream.group, &stream.node), &state, now);
        parts.fleet.lock().joined(id, facts, state, now);
        stream.outbox.push(message::welcome(
            &parts.cluster,
            parts.pace,
            resume,
            expected,
        ));
        let next = stream.act(actions, now);
        Ok((stream, next))
    }

    async fn serve(
        mut self,
        mut next: ControlFlow<&'static str>,
        mut inbound: Streaming<wire::NodeMessage>,
        mut commands: mpsc::UnboundedReceiver<Command>,
        out: &Sender,
    ) {
        // Created once, outside the loop: each view wakes thousands of streams, and creating a timer or a wait per wakeup would be most of
        // the cost.
        let mut leaving = self.hub.parts.leaving.clone();
        let left = async move { drop(leaving.wait_for(|leaving| *leaving).await) };
        let alarm = tokio::time::sleep_until(self.session.deadline().into());
        tokio::pin!(left, alarm);
        while next.is_continue() {
            let mut progress = false;
            out.fill(|| {
                progress |= self.outbox.is_sending_update();
                self.outbox.pop()
            });
            if progress {
                self.session.progressed(Instant::now());
            }
            // The deadline moves with every message. A later one does not reset the timer: if it fires early, the tick does nothing.
            let deadline = tokio::time::Instant::from_std(self.session.deadline());
            if alarm.is_elapsed() || deadline < alarm.deadline() {
                alarm.as_mut().reset(deadline);
            }
            next = tokio::select! {
                room = out.ready(), if !self.outbox.is_empty() => match room {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(Gone) => ControlFlow::Break("the stream was closed"),
                },
                message = inbound.message() => self.on_message(message),
                changed = self.recents.changed() => match changed {
                    Ok(()) => self.on_view(),
                    Err(_) => ControlFlow::Break("control is shutting down"),
                },
                Some(command) = commands.recv() => self.handle(match command {
                    Command::Retry => Event::Retry,
                    Command::Superseded => Event::Superseded,
                    Command::Recalled(view) => Event::Recalled(view),
                    Command::Granted(root) => Event::Granted(root),
                    Command::Derived { key, made } => Event::Derived { key, made },
                }),
                () = &mut left => {
                    let within = self.hub.time_to_return();
                    self.handle(Event::Drain { within })
                }
                () = &mut alarm => self.handle(Event::Tick),
            };
        }
        if let ControlFlow::Break(reason) = next {
            info!(node = %self.node, reason, "stream of a proxy closed");
        }
        let _ = tokio::time::timeout(FLUSH, self.flush(out)).await;
        self.hub.tries_after_leaving((&self.group, &self.node));
        let memory = self.session.memory();
        let leaving = *self.hub.parts.leaving.borrow();
        let mut fleet = self.hub.parts.fleet.lock();
        if leaving {
            fleet.roster().close();
        }
        fleet.left(&self.node, self.id, memory);
    }

    async fn flush(&mut self, out: &Sender) {
        while let Some(message) = self.outbox.pop() {
            if out.send(Ok(message)).await.is_err() {
                return;
            }
        }
    }

    fn on_view(&mut self) -> ControlFlow<&'static str> {
        let recent = self.recents.borrow_and_update().of(&self.group);
        self.handle(Event::View(recent))
    }

    fn on_message(
        &mut self,
        message: Result<Option<wire::NodeMessage>, Status>,
    ) -> ControlFlow<&'static str> {
        let message = match message {
            Ok(Some(message)) => message,
            // tonic does not distinguish the two.
            Ok(None) => {
                return ControlFlow::Break("closed by the proxy, or connection lost");
            }
            Err(status) => {
                debug!(node = %self.node, %status, "stream failed");
                return ControlFlow::Break("connection lost");
            }
        };
        match message::inbound(message) {
            Ok(Inbound::Report(event, on_node)) => {
                self.count(&event, on_node);
                self.handle(*event)
            }
            Ok(Inbound::Unexpected(what)) => {
                warn!(node = %self.node, what, "unexpected message ignored");
                ControlFlow::Continue(())
            }
            Err(invalid) => {
                warn!(node = %self.node, %invalid, "proxy sent an invalid message");
                ControlFlow::Break("invalid message from the proxy")
            }
        }
    }

    fn count(&mut self, event: &Event, on_node: Option<Duration>) {
        match event {
            Event::Ack { .. } => {
                if let Some(full) = self.full.take() {
                    full.acknowledged();
                }
            }
            Event::Nack { .. } => self.full = None,
            _ => {}
        }
        let observer = &self.hub.parts.observer;
        if let (Event::Ack { .. }, Some(on_node), Some(sent)) = (event, on_node, self.sent.take()) {
            observer.applied(sent.elapsed(), on_node);
        }
        if let Event::Nack { faults, .. } = event {
            faults.iter().for_each(|fault| observer.refused(fault.code));
        }
        if let Event::Status(status) = event {
            let mut fleet = self.hub.parts.fleet.lock();
            fleet.reported(&self.node, self.id, status.clone(), Instant::now());
        }
    }

    fn handle(&mut self, event: Event) -> ControlFlow<&'static str> {
        let now = Instant::now();
        // The passing of time changes nothing that the fleet shows of a node.
        let heard = !matches!(event, Event::Tick);
        let acked = matches!(event, Event::Ack { .. });
        let actions = self.session.handle(event, now);
        if heard {
            let state = self.session.state();
            let mut fleet = self.hub.parts.fleet.lock();
            fleet.observe(&self.node, self.id, state, self.session.last_heard());
            if acked {
                fleet.applied(&self.node, self.id);
            }
        }
        self.act(actions, now)
    }

    fn act(&mut self, actions: Vec<Action>, now: Instant) -> ControlFlow<&'static str> {
        for action in actions {
            match action {
                Action::Send(update) => self.send(&update, now)?,
                Action::Heartbeat { expected, count } => {
                    self.outbox
                        .push_heartbeat(message::heartbeat(expected, count));
                }
                Action::AskDigest { question } => {
                    self.outbox.push(message::ask_digest(question));
                }
                Action::AskDetail { question, buckets } => {
                    self.outbox.push(message::ask_detail(question, &buckets));
                }
                Action::Recall(version) => self.recall(version),
                Action::Derive(needed) => self.derive(needed),
                Action::AskToTry(root) => self.ask_to_try(root, now),
                Action::Refused { version, faults } => self.note_refusal(version, &faults),
                Action::GoAway(farewell) => self.outbox.push(message::go_away(farewell)),
                Action::Close(why) => return ControlFlow::Break(end_of(why, &mut self.outbox)),
            }
        }
        ControlFlow::Continue(())
    }

    fn send(&mut self, update: &Update, now: Instant) -> ControlFlow<&'static str> {
        debug!(node = %self.node, to = %update.to.version(), id = update.id, "sending update");
        if matches!(update.from, Base::Nothing) {
            let bytes = update.to.records().payload_bytes() as u64;
            match self.hub.admit_full(bytes, now) {
                Ok(place) => self.full = Some(place),
                Err((retry_min, retry_max)) => {
                    self.outbox.push(message::go_away(GoAway {
                        reason: "limit of concurrent full resyncs reached".to_owned(),
                        retry_min,
                        retry_max,
                    }));
                    return ControlFlow::Break("full resync deferred: the proxy retries later");
                }
            }
        }
        let parts = self.hub.cache.parts(update);
        self.outbox.push_update(update, parts);
        self.sent = Some(now);
        ControlFlow::Continue(())
    }
}

/// Returns the reason for the log. A peer that is lost or no longer trusted is not sent the rest of the queue.
fn end_of(why: Closing, outbox: &mut Outbox) -> &'static str {
    if matches!(why, Closing::Stuck | Closing::Lost | Closing::Drifted) {
        *outbox = Outbox::default();
    }
    why.reason()
}
