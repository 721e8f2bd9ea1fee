//! Stand-ins for the platform that take everything and count it.

use std::sync::Arc;
use std::sync::Mutex;

use sim::wire::hl7::Acknowledgement;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a stand-in has been sent.
#[derive(Debug, Default)]
pub struct Taken {
    /// MQTT payloads with their topics.
    pub publishes: Mutex<Vec<(String, Vec<u8>)>>,
    /// HL7 messages.
    pub messages: Mutex<Vec<String>>,
    /// HTTP request lines and bodies.
    pub requests: Mutex<Vec<String>>,
}

/// An MQTT server that acknowledges every publish.
pub async fn mqtt(taken: Arc<Taken>) -> String {
    serve(taken, |stream, taken| async move { mqtt_session(stream, &taken).await }).await
}

/// An MLLP server that answers AA.
pub async fn mllp(taken: Arc<Taken>) -> String {
    serve(taken, |stream, taken| async move { mllp_session(stream, &taken).await }).await
}

/// An HTTP server that answers 200 with an empty object.
pub async fn http(taken: Arc<Taken>) -> String {
    serve(taken, |stream, taken| async move { http_session(stream, &taken).await }).await
}

async fn serve<F, R>(taken: Arc<Taken>, session: F) -> String
where
    F: Fn(TcpStream, Arc<Taken>) -> R + Send + 'static,
    R: Future<Output = Option<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(session(stream, Arc::clone(&taken)));
        }
    });
    address
}

async fn mqtt_session(mut stream: TcpStream, taken: &Taken) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let (length, header) = loop {
            if let Some(found) = remaining_length(&bytes)
                && bytes.len() >= found.0 + found.1
            {
                break found;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let packet: Vec<u8> = bytes.drain(..length + header).collect();
        let body = &packet[header..];
        match packet[0] >> 4 {
            1 => stream.write_all(&[0x20, 3, 0, 0, 0]).await.ok()?,
            3 => {
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let id = [body[2 + topic], body[3 + topic]];
                let properties = usize::from(body[4 + topic]);
                let payload = body[5 + topic + properties..].to_vec();
                let name = String::from_utf8_lossy(&body[2..2 + topic]).into_owned();
                taken.publishes.lock().expect("no panic").push((name, payload));
                stream.write_all(&[0x40, 2, id[0], id[1]]).await.ok()?;
            }
            _ => {}
        }
    }
}

fn remaining_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().skip(1).take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 2));
        }
    }
    None
}

async fn mllp_session(mut stream: TcpStream, taken: &Taken) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        while let Some(end) = bytes.windows(2).position(|pair| pair == [0x1c, 0x0d]) {
            let frame: Vec<u8> = bytes.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&frame[1..end]).into_owned();
            let control = text.split('|').nth(9).unwrap_or_default().to_owned();
            taken.messages.lock().expect("no panic").push(text);
            let answer = format!("\u{b}MSH|^~\\&|S|||||ACK|1|P|2.6\rMSA|AA|{control}\r\u{1c}\r");
            assert!(Acknowledgement::parse(answer.trim_start_matches('\u{b}')).is_some());
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn http_session(mut stream: TcpStream, taken: &Taken) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        while let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length: usize = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            while bytes.len() < end + 4 + length {
                if stream.read_buf(&mut bytes).await.ok()? == 0 {
                    return None;
                }
            }
            let line = head.lines().next().unwrap_or_default().to_owned();
            let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
            bytes.drain(..end + 4 + length);
            taken.requests.lock().expect("no panic").push(format!("{line}\n{body}"));
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
                .await
                .ok()?;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
