//! One kind of slow peer, as data.

use std::time::Duration;

/// The default limit of every kind.
pub const LIMIT: Duration = Duration::from_secs(1);

/// The default pause between two pieces of a drip.
pub const PAUSE: Duration = Duration::from_millis(100);

/// The segment size of a real network. The loopback's segments are so large that the peer may buffer megabytes for a receiver that reads
/// nothing.
pub const SEGMENT: u32 = 1_460;

/// The side that is slow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The client.
    Client,
    /// The endpoint.
    Endpoint,
}

/// Bytes that are sent in pieces, repeated without end.
#[derive(Clone, Copy, Debug)]
pub struct Drip {
    /// The bytes to repeat.
    pub bytes: &'static [u8],
    /// Bytes per piece.
    pub piece: usize,
    /// The time between two pieces.
    pub pause: Duration,
}

impl Drip {
    /// Creates a drip of single bytes.
    pub const fn bytes(bytes: &'static [u8]) -> Self {
        Self::pieces(bytes, 1)
    }

    /// Creates a drip of `piece` bytes at a time.
    pub const fn pieces(bytes: &'static [u8], piece: usize) -> Self {
        Self {
            bytes,
            piece,
            pause: PAUSE,
        }
    }

    /// Sets the pause between two pieces.
    #[must_use]
    pub const fn each(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Returns the endless sequence of pieces.
    pub fn stream(self) -> impl Iterator<Item = &'static [u8]> {
        self.bytes.chunks(self.piece).cycle()
    }
}

/// The client's way of reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// Immediately.
    All,
    /// Not at all until the limit has passed, then the rest.
    Nothing,
    /// One byte at intervals until the limit has passed, then the rest.
    Bytes,
}

/// The script of a client.
#[derive(Clone, Debug)]
pub struct ClientScript {
    /// `true` if a complete exchange precedes the opening.
    pub first: bool,
    /// Bytes sent immediately.
    pub opening: String,
    /// Bytes sent after the opening, until an answer arrives or the connection closes.
    pub drip: Option<Drip>,
    /// `true` if the drip continues after an answer; the end is then the first failed write.
    pub stubborn: bool,
    /// The client's way of reading.
    pub reads: Reads,
}

/// The behavior of the route's endpoint.
#[derive(Clone, Debug)]
pub enum Far {
    /// Answers each request in full.
    Good,
    /// Answers with this many bytes.
    Large(u64),
    /// Accepts an upgrade and then stays silent.
    Tunnel,
    /// Has a full accept queue.
    Unreachable,
    /// Accepts a request and then follows this script.
    Slow {
        /// `false` if it reads nothing beyond the head of a request until its limit has passed.
        reads: bool,
        /// Sent once the head has arrived.
        opening: &'static str,
        /// Sent after the opening.
        drip: Option<Drip>,
    },
}

/// The result that the client must see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// One of these statuses, then the end of the connection; 0 means no answer.
    Closed(&'static [u16]),
    /// One of these statuses; the connection may stay open.
    Answer(&'static [u16]),
    /// A 200 head, then the end of the connection before the body is complete.
    Truncated,
}

/// The side that observes that the limit was enforced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Witness {
    /// The client, by its answer or by the end of its connection.
    Client,
    /// The endpoint, by the end of its connection.
    Endpoint,
    /// Both.
    Both,
}

/// A kind of slow peer.
#[derive(Clone, Debug)]
pub struct Kind {
    /// The human-readable name.
    pub name: &'static str,
    /// The side that is slow.
    pub side: Side,
    /// The configuration key of the limit that ends it.
    pub key: &'static str,
    /// The limit's duration.
    pub limit: Duration,
    /// `true` if it may end before the limit.
    pub sooner: bool,
    /// The route's `timeouts`.
    pub timeouts: &'static str,
    /// The client's script.
    pub client: ClientScript,
    /// The endpoint's script.
    pub far: Far,
    /// The result that the client must see.
    pub want: Want,
    /// The side that measures the time.
    pub witness: Witness,
    /// Labels of `aralez_deadline_closes_total`, one of which counts each of these peers; empty if no deadline is involved.
    pub counted: &'static [&'static str],
}

impl Kind {
    /// Creates a slow client with a good endpoint.
    pub fn client(name: &'static str, key: &'static str) -> Self {
        Self {
            name,
            side: Side::Client,
            key,
            limit: LIMIT,
            sooner: false,
            timeouts: "{idle: 300ms}",
            client: ClientScript {
                first: false,
                opening: String::new(),
                drip: None,
                stubborn: false,
                reads: Reads::All,
            },
            far: Far::Good,
            want: Want::Closed(&[0]),
            witness: Witness::Client,
            counted: &[],
        }
    }

    /// Creates a slow endpoint with a client that sends one `GET`; `timeouts` contains the limit.
    pub fn endpoint(name: &'static str, key: &'static str, timeouts: &'static str) -> Self {
        Self {
            side: Side::Endpoint,
            timeouts,
            far: Far::Slow {
                reads: true,
                opening: "",
                drip: None,
            },
            want: Want::Answer(&[504]),
            witness: Witness::Both,
            ..Self::client(name, key)
        }
        .opens("GET {path} HTTP/1.1\r\nHost: slow.test\r\n\r\n")
    }

    /// Makes the client complete one exchange first.
    #[must_use]
    pub fn after_one(mut self) -> Self {
        self.client.first = true;
        self
    }

    /// Sets the client's opening; `{path}` is replaced by the kind's path.
    #[must_use]
    pub fn opens(mut self, opening: &str) -> Self {
        self.client.opening = opening.replace("{path}", &self.path());
        self
    }

    /// Sets the client's drip.
    #[must_use]
    pub fn drips(mut self, drip: Drip) -> Self {
        self.client.drip = Some(drip);
        self
    }

    /// Makes the client continue to send after its answer.
    #[must_use]
    pub fn stubborn(mut self) -> Self {
        self.client.stubborn = true;
        self
    }

    /// Sets how the client reads.
    #[must_use]
    pub fn reads(mut self, reads: Reads) -> Self {
        self.client.reads = reads;
        self
    }

    /// Sets the endpoint's behavior.
    #[must_use]
    pub fn far(mut self, far: Far) -> Self {
        self.far = far;
        self
    }

    /// Makes the endpoint read, send `opening`, and then drip.
    #[must_use]
    pub fn answers(self, opening: &'static str, drip: Option<Drip>) -> Self {
        self.far(Far::Slow {
            reads: true,
            opening,
            drip,
        })
    }

    /// Sets the result that the client must see.
    #[must_use]
    pub fn wants(mut self, want: Want) -> Self {
        self.want = want;
        self
    }

    /// Sets a limit other than [`LIMIT`].
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Allows the peer to end before its limit.
    #[must_use]
    pub fn or_sooner(mut self) -> Self {
        self.sooner = true;
        self
    }

    /// Sets the side that measures the time.
    #[must_use]
    pub fn seen_by(mut self, witness: Witness) -> Self {
        self.witness = witness;
        self
    }

    /// Sets the labels under which the peers are counted.
    #[must_use]
    pub fn counted(mut self, labels: &'static [&'static str]) -> Self {
        self.counted = labels;
        self
    }

    /// Returns the path of the kind's route.
    pub fn path(&self) -> String {
        let dashed = |letter: char| if letter == ' ' { '-' } else { letter };
        format!("/{}", self.name.chars().map(dashed).collect::<String>())
    }
}
