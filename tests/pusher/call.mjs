// pusher-js and laravel-echo as npm has them, on the channels of a tenant whose switch makes real calls. Says on its output, one JSON a line, what it was
// refused and then each event that either of the two hears. tests/e2e_streams.rs starts and ends it.
import Echo from "laravel-echo";
import Pusher from "pusher-js";

const { HOST, PORT, TOKEN, TENANT, OTHER } = process.env;
const say = (value) => console.log(JSON.stringify(value));
const once = (target, name) => new Promise((resolve) => target.bind(name, resolve));
const options = {
  cluster: "", wsHost: HOST, wsPort: Number(PORT), forceTLS: false, enabledTransports: ["ws"], disableStats: true,
};
// What was missed is asked for with the authorisation.
const authorising = (last) => ({
  endpoint: `http://${HOST}:${PORT}/broadcasting/auth`,
  transport: "ajax",
  headers: { Authorization: `Bearer ${TOKEN}` },
  paramsProvider: () => (last.sequence ? { since: last.sequence } : {}),
});
const tell = (by, last) => (name, data) => {
  if (name.startsWith("pusher:")) return;
  last.sequence = data.sequence;
  say({ by, name, sequence: data.sequence, call: data.data.call_uuid, tenant: data.data.tenant_id });
};

const heard = {};
const pusher = new Pusher("nizam", { ...options, channelAuthorization: authorising(heard) });
const events = pusher.subscribe(`private-tenant.${TENANT}.events`);
events.bind_global(tell("pusher-js", heard));

const listened = {};
const echo = new Echo({
  broadcaster: "reverb", key: "nizam", client: new Pusher("nizam", { ...options, channelAuthorization: authorising(listened) }),
});
const calls = echo.private(`tenant.${TENANT}.calls`);
const told = tell("laravel-echo", listened);
for (const name of ["started", "answered", "bridge", "hangup"]) calls.listen(`.call.${name}`, (data) => told(`call.${name}`, data));

await Promise.all([once(events, "pusher:subscription_succeeded"), new Promise((resolve) => calls.subscribed(resolve))]);
const other = pusher.subscribe(`private-tenant.${OTHER}.calls`);
say({ refused: (await once(other, "pusher:subscription_error")).status });
pusher.unsubscribe(`private-tenant.${OTHER}.calls`);
