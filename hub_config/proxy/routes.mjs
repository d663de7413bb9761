// Routes: which process answers which part of the site, kept in a file as well, so that
// a proxy that is started again has them at once and waits for nobody.

import fs from "node:fs";

import { MemoryStore } from "configurable-http-proxy/lib/store.js";

// Of the addresses below somebody's workspace, those that are another workload's.
const WORKLOAD = /^(\/user\/[^/]+)\/(?:run|endpoint|app|workspace)-[^/]+/;

export class FileStore extends MemoryStore {
  constructor(file, log) {
    super();
    this.file = file;
    this.log = log;
    for (const [path, data] of kept(file)) {
      super.add(path, data);
    }
  }

  async add(path, data) {
    await super.add(path, data);
    this.keep();
  }

  async remove(path) {
    const removed = await super.remove(path);
    this.keep();
    return removed;
  }

  // A workload without a route has ended, and the hub tells of that. The longest route
  // left would be that of its owner's workspace, which knows nothing of it.

  async getTarget(path) {
    const found = await super.getTarget(path);
    const owners = WORKLOAD.exec(path)?.[1];
    return owners && found?.prefix === owners ? super.getTarget("/") : found;
  }

  // The time of the last request changes with each, and is not worth a write.

  keep() {
    const fresh = `${this.file}.new`;
    try {
      fs.writeFileSync(fresh, JSON.stringify(this.routes), { mode: 0o600 });
      fs.renameSync(fresh, this.file);
    } catch (error) {
      // The hub restores what a later start lacks.
      this.log.error("Routes cannot be kept: %s", error.message);
    }
  }
}

function kept(file) {
  try {
    const routes = Object.entries(JSON.parse(fs.readFileSync(file, "utf8")));
    return routes.filter(([, data]) => URL.canParse(data?.target)).map(withDate);
  } catch {
    return []; // there is none yet, or it was cut off: the hub restores them
  }
}

function withDate([path, data]) {
  return [path, { ...data, last_activity: new Date(data.last_activity ?? Date.now()) }];
}
