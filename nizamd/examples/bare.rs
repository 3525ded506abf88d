//! The fastest answer that warp can give, for measurements: `bare LISTEN FILE…` answers `/0`, `/1`, … with the files.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use warp::Filter as _;
use warp::hyper::body::Bytes;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let listen: SocketAddr = arguments.next().context("LISTEN")?.parse().context("LISTEN")?;
    let files: Vec<Bytes> =
        arguments.map(|file| Ok(std::fs::read(&file).context(file)?.into())).collect::<Result<_>>()?;
    let answer = warp::path!(usize).and_then(move |number: usize| {
        let file = files.get(number).cloned();
        async move { file.ok_or_else(warp::reject::not_found) }
    });
    let answer = answer.map(|body: Bytes| {
        warp::reply::with_header(warp::reply::Response::new(body.into()), "content-type", "application/json")
    });
    warp::serve(answer).run(listen).await;
    Ok(())
}
