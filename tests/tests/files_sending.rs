//! Sending static files: to slow clients, to clients that go, and files that change meanwhile.

use std::fs;
use std::time::Duration;

use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{Fleet, LIVE};
use aralez_tests::raw::Request;
use aralez_tests::slow::vitals::{self, Metrics};
use aralez_tests::web_folder::{HOST, WebFolder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn folder() -> WebFolder {
    WebFolder::with(&[("index.html", "page")])
}

fn large() -> Vec<u8> {
    (0..10_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// Returns the number of descriptors that the proxy has open.
fn descriptors(fleet: &Fleet) -> usize {
    vitals::open_files(fleet.proxies[0].as_ref().unwrap().pid())
}

/// Returns how many descriptors of the proxy are files below this folder.
fn open_files(fleet: &Fleet, folder: &WebFolder) -> usize {
    let pid = fleet.proxies[0].as_ref().unwrap().pid();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let below = |entry: std::io::Result<fs::DirEntry>| {
        let target = fs::read_link(entry.ok()?.path()).ok()?;
        target.starts_with(folder.root()).then_some(())
    };
    open.filter_map(below).count()
}

/// Opens a connection and sends a GET without reading anything.
async fn asks(fleet: &Fleet, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(fleet.http(0)).await.unwrap();
    stream
        .write_all(&Request::get(HOST, target).head())
        .await
        .unwrap();
    stream
}

/// Reads everything that comes, and returns it without the head.
async fn rest(mut stream: TcpStream) -> (String, Vec<u8>) {
    let mut all = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut all).await;
    let end = all
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap()
        + 4;
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    (head, all.split_off(end))
}

#[tokio::test]
async fn a_slow_reader_of_a_large_file_gets_all_of_it_and_costs_no_memory() {
    let (folder, content) = (folder(), large());
    folder.write("large.bin", &content);
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    fleet.get(0, HOST, "/").await.unwrap();
    let before = fleet.proxies[0].as_ref().unwrap().memory();
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(asks(&fleet, "/large.bin").await);
    }
    let one = slow.pop().unwrap();
    let mut buffered = tokio::io::BufReader::with_capacity(4_096, one);
    let mut received = Vec::new();
    let mut chunk = [0; 4_096];
    while received.len() < 1_000_000 {
        let count = buffered.read(&mut chunk).await.unwrap();
        received.extend_from_slice(&chunk[..count]);
        tokio::task::yield_now().await;
    }
    let after = fleet.proxies[0].as_ref().unwrap().memory();
    assert!(after < before + (8 << 20), "{before} bytes became {after}");
    let whole = content.len();
    while received.len() < whole {
        let count = buffered.read(&mut chunk).await.unwrap();
        assert!(count > 0, "it ends after {} bytes", received.len());
        received.extend_from_slice(&chunk[..count]);
    }
    let start = received
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap()
        + 4;
    let length = received.len() - start;
    assert!(received[start..] == content[..length]);
}

#[tokio::test]
async fn a_file_that_becomes_shorter_ends_the_connection_and_one_that_grows_is_cut_at_its_length() {
    let (folder, content) = (folder(), large());
    let shrinking = folder.write("shrinking.bin", &content);
    let growing = folder.write("growing.bin", &content);
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let [short, long] = [
        asks(&fleet, "/shrinking.bin").await,
        asks(&fleet, "/growing.bin").await,
    ];
    eventually(LIVE, "both are being sent", || async {
        match open_files(&fleet, &folder) {
            2.. => Ok(()),
            count => Err(count.to_string()),
        }
    })
    .await;
    fs::File::options()
        .write(true)
        .open(&shrinking)
        .unwrap()
        .set_len(100)
        .unwrap();
    let mut more = fs::File::options().append(true).open(&growing).unwrap();
    std::io::Write::write_all(&mut more, &content).unwrap();
    let (head, body) = rest(short).await;
    let announced = format!("content-length: {}", content.len());
    assert!(head.to_lowercase().contains(&announced), "{head}");
    assert!(body.len() < content.len(), "{} bytes", body.len());
    let mut next = long;
    let mut received = vec![0; 1 << 16];
    let (mut all, whole) = (Vec::new(), content.len());
    while all.len() < whole {
        let count = next.read(&mut received).await.unwrap();
        assert!(count > 0);
        all.extend_from_slice(&received[..count]);
    }
    let start = all
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap()
        + 4;
    while all.len() < start + whole {
        let count = next.read(&mut received).await.unwrap();
        all.extend_from_slice(&received[..count]);
    }
    assert!(all[start..] == content, "it ends where its length ends");
    // The connection goes on with the next response, not with more of the file.
    next.write_all(&Request::get(HOST, "/").head())
        .await
        .unwrap();
    let count = next.read(&mut received).await.unwrap();
    assert!(received[..count].starts_with(b"HTTP/1.1 200 OK\r\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_leave_no_descriptor_open_however_they_end() {
    let (folder, content) = (folder(), large());
    folder.write("large.bin", &content);
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    fleet.get(0, HOST, "/").await.unwrap();
    let before = descriptors(&fleet);
    let mut asking = Vec::new();
    for _ in 0..100 {
        asking.push(asks(&fleet, "/large.bin").await);
    }
    eventually(LIVE, "each has its file", || async {
        match open_files(&fleet, &folder) {
            100.. => Ok(()),
            count => Err(count.to_string()),
        }
    })
    .await;
    // Some go without a word, some with a reset, some read everything.
    for (number, stream) in asking.into_iter().enumerate() {
        match number % 20 {
            0 => {
                let mut stream = stream;
                let mut received = vec![0; 1 << 16];
                let mut count = 0;
                while count < content.len() {
                    count += stream.read(&mut received).await.unwrap();
                }
            }
            1..10 => {
                rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            }
            _ => drop(stream),
        }
    }
    eventually(LIVE, "everything is closed", || async {
        let now = descriptors(&fleet);
        match open_files(&fleet, &folder) == 0 && now <= before {
            true => Ok(()),
            false => Err(format!("{before} descriptors became {now}")),
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_accepts_nothing_is_given_up() {
    let (folder, content) = (folder(), large());
    folder.write("large.bin", &content);
    let main = "client_write_timeout: 500ms";
    let fleet = folder.serve_with(main, "    /: {files: ROOT}\n").await;
    let silent = asks(&fleet, "/large.bin").await;
    eventually(LIVE, "its file is closed", || async {
        match Metrics::of(fleet.admin(0))
            .await?
            .sum("aralez_deadline_closes_total")
        {
            0 => Err("no deadline".to_owned()),
            _ if open_files(&fleet, &folder) > 0 => Err("the file is open".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    let (_, body) = rest(silent).await;
    assert!(body.len() < content.len());
}
