//! The REST API. One table ([`routes`]) says which operations there are; one warp filter hands every request to it.

mod accept;
mod account;
mod answers;
mod body;
mod bulk;
mod call;
mod csv_file;
mod extensions;
mod failure;
mod gate;
mod health;
mod limits;
mod paginate;
mod present;
mod proxies;
mod replay;
mod reply;
mod request;
mod resources;
mod route;
mod router;
mod routes;
mod server;
mod settings;
mod tenants;
mod tokens;

pub use answers::Answers;
pub use gate::Gate;
pub use limits::{Bounds, LOGINS, Limits};
pub use proxies::Proxies;
pub use route::{Rate, Route};
pub use routes::routes;
pub use server::serve;
