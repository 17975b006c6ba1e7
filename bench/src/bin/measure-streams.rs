//! Measures the memory that one connected stream costs control, step by step.
//!
//! Starts a real `aralez-control` (from the same build) on a temporary state folder with a small configuration, then opens streams in
//! steps: bare HTTP/2 connections, then `Hello` and an acknowledged snapshot on each. Prints control's resident memory per stream at each
//! step. `cargo run --release -p aralez-bench --bin measure-streams -- 1000 100` (streams, hosts)
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aralez_proto::wire::control as wire;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use wire::control_plane_client::ControlPlaneClient;

const HOSTS: usize = 100;

struct Control {
    child: Child,
    socket: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The two directions of an open stream.
struct Held {
    _to_control: mpsc::Sender<wire::NodeMessage>,
    from_control: tonic::Streaming<wire::ControlMessage>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let number = |at, default| {
        let text = std::env::args().nth(at);
        text.map_or(Ok(default), |text| text.parse::<usize>())
    };
    let (count, hosts) = (number(1, 1000)?, number(2, HOSTS)?);
    let folder = tempfile::tempdir()?;
    let control = start(folder.path(), hosts)?;
    let first = connect(&control.socket).await?;
    drop(first);
    let empty = settled_rss(control.child.id()).await?;
    let mut channels = Vec::with_capacity(count);
    for _ in 0..count {
        channels.push(connect(&control.socket).await?);
    }
    let connected = settled_rss(control.child.id()).await?;
    let mut held = Vec::with_capacity(count);
    for (number, channel) in channels.iter().enumerate() {
        held.push(admitted(channel, number).await?);
    }
    let open = settled_rss(control.child.id()).await?;
    let per = |from: u64, to: u64| (to as f64 - from as f64) / count as f64;
    println!("control with {hosts} hosts, before any stream: {empty} KiB");
    println!(
        "{count} bare HTTP/2 connections over the unix socket: {:.1} KiB each",
        per(empty, connected)
    );
    println!(
        "with Hello, full snapshot acknowledged, session open: {:.1} KiB more each",
        per(connected, open)
    );
    println!("total: {:.1} KiB per stream", per(empty, open));
    // All streams are held until here: the figure is that of live streams.
    drop((held, channels));
    Ok(())
}

fn start(folder: &Path, hosts: usize) -> Result<Control> {
    let binary = std::env::current_exe()?.with_file_name("aralez-control");
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    drop(listener);
    let main = folder.join("main.yaml");
    let upstreams = folder.join("upstreams.yaml");
    let document: String = (0..hosts)
        .map(|n| {
            format!(
                "h{n}.example:\n  paths:\n    /:\n      servers: [\"127.0.0.1:{}\"]\n",
                10_000 + n
            )
        })
        .collect();
    std::fs::write(&upstreams, document)?;
    let text = format!(
        "state_dir: {0}\nupstreams_conf: {1}\nconfig_address: {address}\nlog_level: warn\n",
        folder.join("state").display(),
        upstreams.display(),
    );
    std::fs::write(&main, text)?;
    let child = Command::new(&binary)
        .arg("-c")
        .arg(&main)
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}: build it first", binary.display()))?;
    Ok(Control {
        child,
        socket: folder.join("state/control.sock"),
    })
}

async fn connect(socket: &Path) -> Result<Channel> {
    for _ in 0..400 {
        let path = socket.to_path_buf();
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        match Endpoint::from_static("http://control")
            .connect_with_connector(connector)
            .await
        {
            Ok(channel) => return Ok(channel),
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
    bail!("control does not answer on {}", socket.display())
}

/// Opens a stream. Control admits streams at a bounded rate, so a refused one is retried.
async fn admitted(channel: &Channel, number: usize) -> Result<Held> {
    for _ in 0..600 {
        if let Some(held) = open(channel.clone(), number).await? {
            return Ok(held);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("control does not admit stream {number}")
}

/// Returns `None` if control refuses the stream for now.
async fn open(channel: Channel, number: usize) -> Result<Option<Held>> {
    let (to_control, outgoing) = mpsc::channel(4);
    to_control.send(hello(number)).await?;
    let mut client = ControlPlaneClient::new(channel);
    let from_control = client
        .sync(ReceiverStream::new(outgoing))
        .await?
        .into_inner();
    let mut held = Held {
        _to_control: to_control.clone(),
        from_control,
    };
    let mut begun = None;
    loop {
        let message = held
            .from_control
            .message()
            .await?
            .context("control closed the stream")?;
        match message.kind {
            Some(wire::control_message::Kind::Begin(begin)) => begun = Some(begin),
            Some(wire::control_message::Kind::Commit(commit)) => {
                let version = begun.take().and_then(|begin| begin.to);
                let ack = wire::Ack {
                    update_id: commit.update_id,
                    version,
                    apply_us: 1,
                };
                to_control
                    .send(wire::NodeMessage {
                        kind: Some(wire::node_message::Kind::Ack(ack)),
                    })
                    .await?;
                return Ok(Some(held));
            }
            Some(wire::control_message::Kind::GoAway(_)) => return Ok(None),
            _ => {}
        }
    }
}

fn hello(number: usize) -> wire::NodeMessage {
    let hello = wire::Hello {
        protocol_min: 1,
        protocol_max: 1,
        node: format!("node-{number}"),
        group: "default".to_owned(),
        proxy_version: "measure".to_owned(),
        features: aralez_proto::feature::known(),
        boot_id: (number as u128).to_le_bytes().to_vec().into(),
        ..wire::Hello::default()
    };
    wire::NodeMessage {
        kind: Some(wire::node_message::Kind::Hello(hello)),
    }
}

/// Returns the resident memory in KiB once two readings half a second apart agree within 1 %.
async fn settled_rss(pid: u32) -> Result<u64> {
    let mut last = rss(pid)?;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = rss(pid)?;
        if now.abs_diff(last) * 100 <= last {
            return Ok(now);
        }
        last = now;
    }
    bail!("control's memory does not settle")
}

fn rss(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
