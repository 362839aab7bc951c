//! One SMTP conversation (RFC 5321), as far as a sender needs it: a message is taken when it is on the disk.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Book, MESSAGE_MAX_BYTES, note};

/// The longest line, RFC 5321 4.5.3.1.6 and room to spare.
const LINE_MAX_BYTES: u64 = 4_096;
/// Recipients of one message.
const MAX_RECIPIENTS: usize = 100;
/// How long a silent client is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// The domain whose mail is taken.
const DOMAIN: &str = "@example.com";

/// What was said of the message under way.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

pub(crate) async fn converse(connection: TcpStream, book: &Book) -> io::Result<()> {
    let (read, mut write) = connection.into_split();
    let mut read = BufReader::new(read);
    if book.is_out() {
        book.refuse("connection").await?;
        return say(&mut write, "421 sink.example.com is out of service").await;
    }
    say(&mut write, "220 sink.example.com ESMTP").await?;
    let mut envelope = Envelope::default();
    while let Some(line) = line(&mut read).await? {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = text.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "DATA" => data(&mut read, &mut write, book, &mut envelope).await?,
            "QUIT" => return say(&mut write, "221 bye").await,
            _ => {
                let answer = answer(&verb, &text, book, &mut envelope);
                if answer.starts_with("451") {
                    book.refuse("mail").await?;
                }
                say(&mut write, &answer).await?;
            }
        }
    }
    Ok(())
}

/// Answers every command that carries no message.
fn answer(verb: &str, text: &str, book: &Book, envelope: &mut Envelope) -> String {
    let address = || text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    match verb {
        "EHLO" => format!("250-sink.example.com\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {MESSAGE_MAX_BYTES}"),
        "HELO" => "250 sink.example.com".into(),
        "NOOP" => "250 ok".into(),
        "RSET" => {
            *envelope = Envelope::default();
            "250 ok".into()
        }
        "MAIL" if book.is_out() => "451 4.3.0 out of service, try again later".into(),
        "MAIL" => match address() {
            Some(address) => {
                *envelope = Envelope { from: Some(address.to_owned()), to: Vec::new() };
                "250 ok".into()
            }
            None => "501 no address".into(),
        },
        "RCPT" if envelope.from.is_none() => "503 MAIL first".into(),
        "RCPT" if envelope.to.len() == MAX_RECIPIENTS => "452 too many recipients".into(),
        "RCPT" => match address() {
            Some(address) if address.ends_with(DOMAIN) => {
                envelope.to.push(address.to_owned());
                "250 ok".into()
            }
            Some(_) => "550 5.1.1 nobody of that name here".into(),
            None => "501 no address".into(),
        },
        _ => "502 not known here".into(),
    }
}

/// Takes the message itself: every recipient is a line on the disk before it is answered.
async fn data(
    read: &mut (impl AsyncBufRead + Unpin),
    write: &mut (impl AsyncWrite + Unpin),
    book: &Book,
    envelope: &mut Envelope,
) -> io::Result<()> {
    if envelope.to.is_empty() {
        return say(write, "503 RCPT first").await;
    }
    say(write, "354 go ahead").await?;
    let mut message = Vec::new();
    let mut size = 0;
    while let Some(line) = line(read).await? {
        if line == b".\r\n" || line == b".\n" {
            let envelope = std::mem::take(envelope);
            if size > MESSAGE_MAX_BYTES {
                return say(write, "552 5.3.4 too large").await;
            }
            if book.is_out() {
                book.refuse("mail").await?;
                return say(write, "451 4.3.0 out of service, try again later").await;
            }
            let (id, subject) = (header(&message, "message-id"), header(&message, "subject"));
            for to in &envelope.to {
                note(&book.mails, &["mail", &id, to, &subject]).await?;
            }
            return say(write, "250 taken").await;
        }
        size += line.len();
        if size <= MESSAGE_MAX_BYTES {
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }
    Ok(())
}

/// A header's value, unfolded; empty if there is none.
fn header(message: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(message);
    let mut found = String::new();
    let mut inside = false;
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if inside {
                found.push_str(line);
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        inside = field.eq_ignore_ascii_case(name);
        if inside {
            value.trim().clone_into(&mut found);
        }
    }
    found
}

/// A line with its end; none at the end of the conversation.
async fn line(read: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut bounded = read.take(LINE_MAX_BYTES);
    timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await??;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(io::Error::from(io::ErrorKind::InvalidData)),
    }
}

async fn say(write: &mut (impl AsyncWrite + Unpin), answer: &str) -> io::Result<()> {
    write.write_all(format!("{answer}\r\n").as_bytes()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_header_is_one_value_and_the_body_holds_none() {
        let message = b"Message-ID: <a@b>\r\nSubject: one\r\n two\r\nX: y\r\n\r\nTo: nobody\r\n";
        assert_eq!(header(message, "message-id"), "<a@b>");
        assert_eq!(header(message, "subject"), "one two");
        assert_eq!(header(message, "to"), "");
    }
}
