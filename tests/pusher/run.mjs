// pusher-js and laravel-echo as npm has them, against a nizamd that is killed meanwhile. Says on its output, one JSON a line, when it hears, what
// it was refused, and at the end every sequence that each of the two has heard. nizamd/tests/daemon/pusher.rs starts it.
import Echo from "laravel-echo";
import Pusher from "pusher-js";

const { HOST, PORT, TOKEN, TENANT, OTHER, EVENTS } = process.env;
const wanted = Number(EVENTS);
const say = (value) => console.log(JSON.stringify(value));
const once = (target, name) => new Promise((resolve) => target.bind(name, resolve));
const options = {
  cluster: "", wsHost: HOST, wsPort: Number(PORT), forceTLS: false, enabledTransports: ["ws"], disableStats: true,
};

// pusher-js: what it missed it asks for with its authorisation.
const heard = [];
const pusher = new Pusher("nizam", {
  ...options,
  channelAuthorization: {
    endpoint: `http://${HOST}:${PORT}/broadcasting/auth`,
    transport: "ajax",
    headers: { Authorization: `Bearer ${TOKEN}` },
    paramsProvider: () => (heard.length ? { since: heard.at(-1) } : {}),
  },
});
const events = pusher.subscribe(`private-tenant.${TENANT}.events`);
events.bind_global((name, data) => {
  if (name.startsWith("pusher:")) return;
  if (data.data.tenant_id !== TENANT || data.event_type !== name) throw new Error(`${name}: ${JSON.stringify(data)}`);
  heard.push(data.sequence);
  over();
});

// laravel-echo: what it missed it asks for when it hears again.
const listened = [];
const echo = new Echo({
  ...options, broadcaster: "reverb", key: "nizam", Pusher, bearerToken: TOKEN,
  authEndpoint: `http://${HOST}:${PORT}/broadcasting/auth`,
});
const calls = echo.private(`tenant.${TENANT}.calls`);
for (const name of ["started", "answered", "hangup"]) {
  calls.listen(`.call.${name}`, (data) => {
    if (data.event_type !== name || data.data.tenant_id !== TENANT) throw new Error(`${name}: ${JSON.stringify(data)}`);
    listened.push(data.sequence);
    over();
  });
}
let times = 0;
const first = new Promise((resolve) => {
  calls.subscribed(() => {
    times += 1;
    if (listened.length) {
      const resume = { channel: `private-tenant.${TENANT}.calls`, sequence: listened.at(-1) };
      echo.connector.pusher.send_event("pusher:resume", resume);
    }
    resolve();
  });
});

await Promise.all([once(events, "pusher:subscription_succeeded"), first]);
const refused = {};
for (const name of [`private-tenant.${OTHER}.calls`, `presence-tenant.${TENANT}.calls`]) {
  refused[name] = (await once(pusher.subscribe(name), "pusher:subscription_error")).status;
  pusher.unsubscribe(name);
}
const error = once(pusher.connection, "error");
events.trigger("client-typing", { a: 1 });
refused.client = (await error).data.code;
say({ refused });

function over() {
  if (heard.length < wanted || listened.length < wanted) return;
  // What is heard too often would come now.
  setTimeout(() => {
    say({ heard, listened, times });
    process.exit(0);
  }, 1500);
}
