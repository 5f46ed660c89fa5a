//! Black holes, which accept connections and never respond.

use std::{
    io::{Read, Write},
    time::Duration,
};

use sandbox::front::{BlackHole, Unaccepted};

use crate::{LONG, connect, secure};

const A_WHILE: Duration = Duration::from_millis(100);
const REQUEST: &[u8] = b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n";

/// Everything received until no more arrives for a while; fails if the connection closes.
fn heard(stream: &mut impl Read) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => panic!("it closed"),
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) => {
                let waits = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut];
                assert!(waits.contains(&error.kind()), "{error}");
                return String::from_utf8(all).expect("text");
            }
        }
    }
}

#[test]
fn tcp_blackhole_never_responds() {
    for hole in [BlackHole::tcp(), BlackHole::builder().ipv6(true).start()] {
        let mut stream = connect(hole.address());
        stream.set_read_timeout(Some(A_WHILE)).expect("set");
        stream.write_all(REQUEST).expect("taken");
        // More than any buffer on the way holds: the black hole reads and discards it.
        stream.write_all(&vec![b'x'; 8 << 20]).expect("taken");
        assert_eq!(heard(&mut stream), "");
        assert_eq!(hole.connections(), 1);
        assert_eq!(hole.url(), format!("http://{}", hole.address()));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn unaccepted_connections_time_out() {
    let unaccepted = Unaccepted::start();
    let error = std::net::TcpStream::connect_timeout(&unaccepted.address(), A_WHILE);
    let error = error.expect_err("no connection");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn tls_blackhole_only_completes_handshake() {
    let hole = BlackHole::tls("localhost");
    assert!(hole.url().starts_with("https://localhost:"));
    let stream = connect(hole.address());
    let timed = stream.try_clone().expect("the same connection");
    let mut secured = secure(stream, "localhost", &hole.ca_pem());
    secured.write_all(REQUEST).expect("taken");
    secured.flush().expect("taken");
    timed.set_read_timeout(Some(A_WHILE)).expect("set");
    assert_eq!(heard(&mut secured), "");
    assert!(!secured.conn.is_handshaking());
    assert!(hole.handshakes()[0].finished);
}

#[test]
fn half_blackhole_sends_half_a_response() {
    let hole = BlackHole::half();
    let mut stream = connect(hole.address());
    stream.set_read_timeout(Some(A_WHILE)).expect("set");
    stream.write_all(&REQUEST[..10]).expect("taken");
    assert_eq!(heard(&mut stream), "", "the request is not whole yet");
    stream.write_all(&REQUEST[10..]).expect("taken");
    let mut start = [0; 15];
    stream.set_read_timeout(Some(LONG)).expect("set");
    stream.read_exact(&mut start).expect("half an answer");
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    stream.set_read_timeout(Some(A_WHILE)).expect("set");
    let rest = heard(&mut stream);
    assert!(
        rest.contains("content-length: 400\r\n") && rest.len() < 200,
        "{rest}"
    );
    let both = BlackHole::builder()
        .tls(&["localhost"])
        .half_an_answer()
        .start();
    let stream = connect(both.address());
    let mut secured = secure(stream, "localhost", &both.ca_pem());
    secured.write_all(REQUEST).expect("taken");
    secured.read_exact(&mut start).expect("half an answer");
    assert_eq!(&start, b"HTTP/1.1 200 OK");
}
