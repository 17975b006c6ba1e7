//! A client of HTTP/2 that ends its body as browsers and gRPC clients may: by an empty frame.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::net::TcpStream;

/// Posts a body of unknown length and asserts a 200.
pub(crate) fn post_ended_by_an_empty_frame(address: SocketAddr, host: &str, body: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async move {
        let stream = TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let driver = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let uri = format!("http://{host}/");
        let request = http::Request::post(uri).body(()).unwrap();
        let (response, mut stream) = client.send_request(request, false).unwrap();
        stream
            .send_data(Bytes::from_static(body.as_bytes()), false)
            .unwrap();
        // Apart from the rest, so that it arrives as a piece of its own.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        stream.send_data(Bytes::new(), true).unwrap();
        assert_eq!(response.await.unwrap().status(), 200);
        driver.abort();
    });
}
