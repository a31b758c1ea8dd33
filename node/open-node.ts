/** A whole node in this process: it claims the directory, listens with the page, and runs the computer. */
import { join } from "node:path";
import { isStarfishError, messageOf } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";
import type { SwarmId } from "../core/net/types.ts";
import type { Log } from "../core/ports/log.ts";
import { openApp } from "./app.ts";
import { claimDataDir } from "./data-dir.ts";
import type { Faults } from "./faults.ts";
import { listen, pageUrl } from "./listen.ts";
import { answerMachine, machineId } from "./machine.ts";
import { packageRoot } from "./package-root.ts";
import { servePage } from "./page.ts";
import { loadCertificate, type TlsChoice } from "./tls.ts";
import { startComputer } from "./start-computer.ts";

export interface OpenNodeOptions {
  readonly dataDir: string;
  readonly host: string;
  /** Undefined: the default port, or the next free one. 0: any. */
  readonly port: number | undefined;
  /** The page's address in invites, if others reach it by another one (containers, proxies). */
  readonly url: string | undefined;
  /** Serves the page by https. */
  readonly tls?: TlsChoice | undefined;
  readonly join: string | undefined;
  readonly name: string | undefined;
  /** Cores to lend; undefined: half of them. */
  readonly cores: number | undefined;
  readonly device: string | undefined;
  /** Bytes offered to the swarm's files; undefined: a part of what is free. */
  readonly storageBytes: number | undefined;
  /** How large the shared database may become here; undefined: as by default. */
  readonly databaseBytesMax?: number | undefined;
  /** A page of the person's own, served at /app/: an HTML file, or a folder with an index.html. */
  readonly app?: string | undefined;
  readonly log: Log;
  /** Counts errors that a library throws. */
  readonly faults?: Faults;
}

/** Disposing of it says goodbye and releases everything. */
export interface OpenNode extends AsyncDisposable {
  readonly computer: Computer;
  /** The page's address. */
  readonly url: string;
  /** SHA-256 of the page's certificate, in the form of browsers. */
  readonly fingerprint: string | undefined;
}

/** How long links may take to close when the node leaves; the goodbye itself is sent at once. */
const GOODBYE_MS = 5_000;

/**
 * Rejects with "in-use", "io", "usage" (there is no such app), "bad-invite", "bad-certificate" and what else a start
 * can fail with.
 */
export async function openNode(options: OpenNodeOptions): Promise<OpenNode> {
  const { dataDir, host, log } = options;
  await using stack = new AsyncDisposableStack();
  stack.use(await claimDataDir(dataDir));
  const tls = options.tls === undefined ? undefined : await loadCertificate(dataDir, options.tls);
  const { server, port } = await listen(host, options.port, tls);
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const page = await servePage(join(packageRoot, "dist", "page"));
  const app = options.app === undefined ? undefined : await openApp(options.app);
  // Whoever names the device knows better which machine that is.
  const machineOf = (swarm: SwarmId): Promise<string | undefined> =>
    options.device === undefined ? machineId(swarm) : Promise.resolve(options.device);
  server.on("request", (request, response) => {
    answerMachine(request, response, machineOf)
      .then((isAnswered) => isAnswered || (app?.(request, response) ?? false))
      .then((isAnswered) => isAnswered || page(request, response))
      .catch(() => response.destroy());
  });
  const url = options.url ?? pageUrl(host, port, tls);
  const computer = await startComputer({
    ...options,
    machineOf,
    server,
    url,
    isUrlGiven: options.url !== undefined,
    names: tls?.names ?? [],
  });
  stack.defer(() => leave(computer, log));
  const owned = stack.move();
  return { computer, url, fingerprint: tls?.fingerprint, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Says goodbye, but does not wait long for peers that do not answer. */
async function leave(computer: Computer, log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    log.write("warn", "leave.slow", { afterMs: GOODBYE_MS });
    resolve();
  }, GOODBYE_MS);
  try {
    await Promise.race([computer[Symbol.asyncDispose](), promise]);
  } catch (error) {
    log.write(isStarfishError(error) ? "warn" : "error", "leave.failed", { error: messageOf(error) });
  } finally {
    clearTimeout(timer);
  }
}
