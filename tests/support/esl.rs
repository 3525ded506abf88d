//! The event socket, as far as a command and its answer, and events (`mod_event_socket.c`, `parse_command`: auth, api, event).

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// One authenticated connection.
pub(crate) struct Esl {
    stream: BufReader<TcpStream>,
}

impl Esl {
    /// Connects and authenticates.
    pub(crate) fn connect(port: u16, password: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        let mut esl = Self { stream: BufReader::new(stream) };
        esl.frame("auth/request")?;
        esl.send(&format!("auth {password}"))?;
        let answer = esl.frame("command/reply")?;
        if answer.starts_with("+OK") {
            Ok(esl)
        } else {
            Err(io::Error::other(format!("event socket: {answer}")))
        }
    }

    /// Runs an API command and returns what it prints.
    pub(crate) fn api(&mut self, command: &str) -> io::Result<String> {
        self.send(&format!("api {command}"))?;
        self.frame("api/response")
    }

    /// Asks for events of these names; a handle that ends the connection.
    pub(crate) fn subscribe(&mut self, names: &str) -> io::Result<TcpStream> {
        self.send(&format!("event json {names}"))?;
        let answer = self.frame("command/reply")?;
        if !answer.starts_with("+OK") {
            return Err(io::Error::other(format!("event socket: {answer}")));
        }
        let stream = self.stream.get_ref();
        // Nothing may happen for a long time.
        stream.set_read_timeout(None)?;
        stream.try_clone()
    }

    /// The next event, a map of headers.
    pub(crate) fn event(&mut self) -> io::Result<String> {
        self.frame("text/event-json")
    }

    fn send(&mut self, line: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\n\n").as_bytes())
    }

    /// Reads frames up to one of `kind`; its body, or its reply text when it has none.
    fn frame(&mut self, kind: &str) -> io::Result<String> {
        loop {
            let (mut seen, mut length, mut reply) = (String::new(), 0_usize, String::new());
            loop {
                let mut line = String::new();
                if self.stream.read_line(&mut line)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let Some((name, value)) = line.trim_end().split_once(": ") else { break };
                match name {
                    "Content-Type" => value.clone_into(&mut seen),
                    "Content-Length" => length = value.parse().map_err(io::Error::other)?,
                    "Reply-Text" => value.clone_into(&mut reply),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body)?;
            if seen == kind {
                return Ok(if length == 0 { reply } else { String::from_utf8_lossy(&body).into_owned() });
            }
        }
    }
}
