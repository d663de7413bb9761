// The proxy that `hubyard up` supervises: configurable-http-proxy with routes that
// outlive it and bodies that are bounded.
//
//     node main.mjs '{"host": ..., "port": ..., ...}'     see hubyard_hub.up.processes
//
// The token of its API comes from the environment, where nobody's process list shows it.

import { defaultLogger } from "configurable-http-proxy/lib/log.js";

import { BoundedProxy } from "./bodies.mjs";
import { FileStore } from "./routes.mjs";

const told = JSON.parse(process.argv[2]);
const log = defaultLogger({ level: "warn" });

const proxy = new BoundedProxy(
  {
    log,
    authToken: process.env.CONFIGPROXY_AUTH_TOKEN,
    errorTarget: told.errorTarget,
    keepAliveTimeout: told.keepAliveMs,
    xfwd: true,
    prependPath: true,
  },
  { store: new FileStore(told.routes, log), limits: told.limits },
);

function listen(server, address) {
  server.on("error", (error) => {
    log.error("Cannot listen: %s", error.message);
    process.exit(1);
  });
  server.listen(address);
}

listen(proxy.apiServer, { host: "127.0.0.1", port: told.apiPort });
listen(proxy.proxyServer, { host: told.host, port: told.port });

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => process.exit(0));
}

// A full disk takes no line of the log. Unheard, the error of that would be logged below,
// which fails again, and so on: the proxy would answer nobody.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => {});
}

// One connection that breaks in an unforeseen way must not end all others.
process.on("uncaughtException", (error) => log.error("%s", error.stack ?? error));
