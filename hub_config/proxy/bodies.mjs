// Bodies: how much of a request is taken, and what becomes of the rest of one that is
// answered before it was sent whole.
//
// limit    how many bytes a request to a route may carry, by the route's path: "/user"
//          is the limit of all routes below it that have none of their own
// linger   keep a connection for a moment after its last answer, so that a client that
//          is still sending comes to read it; a connection that is closed at once with
//          bytes unread is reset, and the answer is lost with it

import { ConfigurableProxy } from "configurable-http-proxy/lib/configproxy.js";

const LINGER_MS = 1000;
const DRAINED_BYTES = 2 ** 20;
const MIB = 2 ** 20;
const ROUTE = Symbol("route");
const UPSTREAM = Symbol("upstream");

export class BoundedProxy extends ConfigurableProxy {
  constructor(options, { store, limits }) {
    super(options);
    this._routes = store;
    const web = this.proxy.web.bind(this.proxy);
    this.proxy.web = (req, res, ...more) => {
      const limit = limitOf(req[ROUTE], limits);
      if (Number(req.headers["content-length"]) > limit) {
        refuse(res, limit);
        return;
      }
      web(req, res, ...more); // from here on the body flows to where it shall go
      refuseBeyond(limit, req, res);
    };
    this.proxy.on("proxyReq", (upstream, req) => {
      req[UPSTREAM] = upstream;
    });
  }

  handleProxyWeb(req, res) {
    closeAfterEarlyAnswer(req, res);
    // Node has told the client to go on already.
    delete req.headers.expect;
    return super.handleProxyWeb(req, res);
  }

  async targetForReq(req) {
    const match = await super.targetForReq(req);
    req[ROUTE] = match?.prefix;
    return match;
  }
}

function limitOf(route, limits) {
  let path = route;
  while (path && !(path in limits)) {
    path = path.slice(0, path.lastIndexOf("/"));
  }
  return limits[path] ?? Infinity;
}

function refuse(res, limit) {
  const message = `At most ${Math.floor(limit / MIB)} MiB are taken.`;
  res.writeHead(413, { "Content-Type": "application/json" });
  res.end(JSON.stringify({ status: 413, message }));
}

// A body in chunks does not say how large it is.
function refuseBeyond(limit, req, res) {
  let taken = 0;
  const count = (chunk) => {
    taken += chunk.length;
    if (taken <= limit) return;
    req.off("data", count);
    abandon(req);
    if (res.headersSent) req.socket.destroy();
    else refuse(res, limit);
  };
  if (limit < Infinity) req.on("data", count);
}

function closeAfterEarlyAnswer(req, res) {
  if (!("transfer-encoding" in req.headers) && !Number(req.headers["content-length"])) {
    return;
  }
  const writeHead = res.writeHead;
  res.writeHead = (...head) => {
    if (!req.complete) {
      res.setHeader("Connection", "close");
      lingerAtEnd(req);
    }
    return writeHead.apply(res, head);
  };
}

// Node closes a connection by `destroySoon` once its last answer is written.
function lingerAtEnd(req) {
  const { socket } = req;
  const close = socket.destroySoon;
  let left = Infinity;
  req.on("data", (chunk) => {
    left -= chunk.length;
    if (left < 0) req.pause();
  });
  socket.destroySoon = () => {
    if (req.complete) {
      close.call(socket);
      return;
    }
    abandon(req);
    left = DRAINED_BYTES;
    req.on("end", () => close.call(socket));
    req.resume();
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}

// Whoever is behind the proxy has answered, or shall not: it gets no more.
function abandon(req) {
  const upstream = req[UPSTREAM];
  req.unpipe();
  upstream?.removeAllListeners("error").on("error", () => {});
  upstream?.destroy();
}
