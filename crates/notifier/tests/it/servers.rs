//! A mail server and a web server as small as they can be: they take what comes and answer as they are told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a server took, and what it says next.
#[derive(Default)]
pub(crate) struct Book {
    /// What was taken: whole mails, or heads and bodies of requests.
    pub(crate) taken: Mutex<Vec<String>>,
    /// Answers to come; the usual one if none is left.
    pub(crate) answers: Mutex<VecDeque<String>>,
}

impl Book {
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    pub(crate) fn say(&self, answer: &str) {
        self.answers.lock().unwrap().push_back(answer.to_owned());
    }

    fn answer(&self, usual: &str) -> String {
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| usual.to_owned())
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A mail server; its answers are those to the recipient.
pub(crate) async fn mail() -> (Arc<Book>, SocketAddr) {
    let (listener, address) = listen().await;
    let book = Arc::new(Book::default());
    let kept = Arc::clone(&book);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let book = Arc::clone(&kept);
            tokio::spawn(async move { converse(stream, &book).await });
        }
    });
    (book, address)
}

async fn converse(stream: TcpStream, book: &Book) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 here\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-here\r\n250 8BITMIME".to_owned(),
            "RCPT" => book.answer("250 fine"),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut mail).await.ok()?;
                }
                book.taken.lock().unwrap().push(mail);
                "250 queued as 7".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 fine".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// A web server; its answers are a status line's end and further headers, as `503 Busy\r\nretry-after: 90`.
pub(crate) async fn web() -> (Arc<Book>, SocketAddr) {
    let (listener, address) = listen().await;
    let book = Arc::new(Book::default());
    let kept = Arc::clone(&book);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let book = Arc::clone(&kept);
            tokio::spawn(async move { serve(stream, &book).await });
        }
    });
    (book, address)
}

async fn serve(stream: TcpStream, book: &Book) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    book.taken.lock().unwrap().push(head + &String::from_utf8(body).ok()?);
    let answer = book.answer("204 Fine");
    stream
        .write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .ok()
}
