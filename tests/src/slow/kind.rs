//! One kind of slow peer as data.

use std::time::Duration;

/// The limit that every kind is held to, unless it says otherwise.
pub const LIMIT: Duration = Duration::from_secs(1);

/// The pause of peers that drip.
pub const PAUSE: Duration = Duration::from_millis(100);

/// The segments of a network. The loopback's are so large that the other end may buffer megabytes for one who takes nothing.
pub const SEGMENT: u32 = 1_460;

/// Which side is slow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The client.
    Client,
    /// The endpoint.
    Endpoint,
}

/// Bytes that come in pieces without end: when all were sent, they begin anew.
#[derive(Clone, Copy, Debug)]
pub struct Drip {
    /// What comes.
    pub bytes: &'static [u8],
    /// How much at once.
    pub piece: usize,
    /// The time between two pieces.
    pub pause: Duration,
}

impl Drip {
    /// One byte at a time.
    pub const fn bytes(bytes: &'static [u8]) -> Self {
        Self::pieces(bytes, 1)
    }

    /// Some bytes at a time.
    pub const fn pieces(bytes: &'static [u8], piece: usize) -> Self {
        Self {
            bytes,
            piece,
            pause: PAUSE,
        }
    }

    /// With another pause.
    #[must_use]
    pub const fn each(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The pieces, without end.
    pub fn stream(self) -> impl Iterator<Item = &'static [u8]> {
        self.bytes.chunks(self.piece).cycle()
    }
}

/// How a client takes what is sent to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// At once.
    All,
    /// Not at all until the limit has passed; then the rest.
    Nothing,
    /// A byte now and then until the limit has passed; then the rest.
    Bytes,
}

/// What a client does.
#[derive(Clone, Debug)]
pub struct ClientScript {
    /// Whether one whole exchange comes first.
    pub first: bool,
    /// Sent at once.
    pub opening: String,
    /// Sent after that until an answer comes or the connection ends.
    pub drip: Option<Drip>,
    /// Whether the drip goes on after an answer: then the end is when nothing can be sent any more.
    pub stubborn: bool,
    /// How it reads.
    pub reads: Reads,
}

/// What the endpoint of the route does.
#[derive(Clone, Debug)]
pub enum Far {
    /// Answers each request in full.
    Good,
    /// Answers with so many bytes.
    Large(u64),
    /// Agrees to an upgrade and says nothing more.
    Tunnel,
    /// Its queue of connections is full.
    Unreachable,
    /// Takes a request and does this.
    Slow {
        /// Whether it reads on after the head of a request.
        reads: bool,
        /// Sent when the head is there.
        opening: &'static str,
        /// Sent after that.
        drip: Option<Drip>,
    },
}

/// What the client must see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// One of these answers, then the end; 0 stands for no answer.
    Closed(&'static [u16]),
    /// One of these answers; the connection may go on.
    Answer(&'static [u16]),
    /// A head of 200, then the end before the body is whole.
    Truncated,
}

/// Who sees that the limit was kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Witness {
    /// The client, by its answer or the end of its connection.
    Client,
    /// The endpoint, by the end of its connection.
    Endpoint,
    /// Both.
    Both,
}

/// A kind of slow peer.
#[derive(Clone, Debug)]
pub struct Kind {
    /// What it does, as a person says it.
    pub name: &'static str,
    /// Which side is slow.
    pub side: Side,
    /// The key of the limit that ends it.
    pub key: &'static str,
    /// How long that lasts.
    pub limit: Duration,
    /// Whether it may be over sooner.
    pub sooner: bool,
    /// The route's `timeouts`.
    pub timeouts: &'static str,
    /// The client.
    pub client: ClientScript,
    /// The endpoint.
    pub far: Far,
    /// What the client must see.
    pub want: Want,
    /// Who watches the clock.
    pub witness: Witness,
    /// The labels of `aralez_deadline_closes_total` of which one counts each of these peers; none where it is not a deadline.
    pub counted: &'static [&'static str],
}

impl Kind {
    /// A slow client, with a good endpoint.
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

    /// A slow endpoint, with a client that asks by one `GET`; `timeouts` has the limit.
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

    /// One whole exchange first.
    #[must_use]
    pub fn after_one(mut self) -> Self {
        self.client.first = true;
        self
    }

    /// The client begins with this; `{path}` stands for the kind's path.
    #[must_use]
    pub fn opens(mut self, opening: &str) -> Self {
        self.client.opening = opening.replace("{path}", &self.path());
        self
    }

    /// The client goes on with this.
    #[must_use]
    pub fn drips(mut self, drip: Drip) -> Self {
        self.client.drip = Some(drip);
        self
    }

    /// The client goes on after its answer.
    #[must_use]
    pub fn stubborn(mut self) -> Self {
        self.client.stubborn = true;
        self
    }

    /// The client reads so.
    #[must_use]
    pub fn reads(mut self, reads: Reads) -> Self {
        self.client.reads = reads;
        self
    }

    /// The endpoint does this.
    #[must_use]
    pub fn far(mut self, far: Far) -> Self {
        self.far = far;
        self
    }

    /// The endpoint reads, sends this, and drips that.
    #[must_use]
    pub fn answers(self, opening: &'static str, drip: Option<Drip>) -> Self {
        self.far(Far::Slow {
            reads: true,
            opening,
            drip,
        })
    }

    /// The client must see this.
    #[must_use]
    pub fn wants(mut self, want: Want) -> Self {
        self.want = want;
        self
    }

    /// Another limit than usual.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// It may be over before its limit.
    #[must_use]
    pub fn or_sooner(mut self) -> Self {
        self.sooner = true;
        self
    }

    /// These look at the clock.
    #[must_use]
    pub fn seen_by(mut self, witness: Witness) -> Self {
        self.witness = witness;
        self
    }

    /// It is counted under one of these.
    #[must_use]
    pub fn counted(mut self, labels: &'static [&'static str]) -> Self {
        self.counted = labels;
        self
    }

    /// The path of its route.
    pub fn path(&self) -> String {
        let dashed = |letter: char| if letter == ' ' { '-' } else { letter };
        format!("/{}", self.name.chars().map(dashed).collect::<String>())
    }
}
