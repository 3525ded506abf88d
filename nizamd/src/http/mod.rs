//! The REST API. One table ([`routes`]) says which operations there are; one warp filter hands every request to it.

mod accept;
mod account;
mod call;
mod extensions;
mod failure;
mod gate;
mod health;
mod limits;
mod paginate;
mod present;
mod reply;
mod request;
mod route;
mod router;
mod routes;
mod server;
mod settings;
mod tenants;
mod tokens;

pub use gate::Gate;
pub use limits::Limits;
pub use route::{Rate, Route};
pub use routes::routes;
pub use server::serve;
