//! A subscriber that asks for everything and takes nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Subscribes by the broker's own protocol and never reads again.
pub(crate) async fn subscribe(address: &str) -> anyhow::Result<TcpStream> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(b"CONNECT {\"verbose\":false}\r\nSUB docket.v1.> 1\r\nPING\r\n").await?;
    let mut said = String::new();
    while !said.contains("PONG") {
        let mut buffer = [0; 4_096];
        let read = connection.read(&mut buffer).await?;
        anyhow::ensure!(read > 0, "the broker closed the connection: {said}");
        said.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    Ok(connection)
}
