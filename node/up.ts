/**
 * `starfish up`: one node, from claiming its directory to saying goodbye. It serves the page, takes links from tabs and
 * other nodes, lends its cores, and listens for `starfish sh`.
 */
import { join } from "node:path";
import { isStarfishError, messageOf } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";
import { claimDataDir, controlPath } from "./data-dir.ts";
import { serveControl } from "./control.ts";
import { EXIT } from "./exit-status.ts";
import { listen, pageUrl } from "./listen.ts";
import { packageRoot, packageVersion } from "./package-root.ts";
import { servePage } from "./page.ts";
import { createReport, reportMembers, type Report } from "./report.ts";
import { startComputer } from "./start-computer.ts";

export interface UpOptions {
  readonly dataDir: string;
  readonly host: string;
  /** Undefined: the default port, or the next free one. 0: any. */
  readonly port: number | undefined;
  /** The page's address in invites, if it is not this machine's (containers, proxies). */
  readonly url: string | undefined;
  readonly join: string | undefined;
  readonly name: string | undefined;
  /** Cores to lend; undefined: all. */
  readonly cores: number | undefined;
  readonly device: string | undefined;
  readonly json: boolean;
}

/** How long links may take to close when the node leaves; the goodbye itself is sent at once. */
const GOODBYE_MS = 5_000;
/** Ctrl-C reaches a process group and may be passed on besides: what follows this fast is the same one. */
const SAME_SIGNAL_MS = 500;

/** Runs until a signal; resolves to the exit status. */
export async function up(options: UpOptions): Promise<number> {
  const report = createReport({ json: options.json });
  const stop = onSignals();
  // A promise that some library forgot is worth a line, not the node.
  process.on("unhandledRejection", (reason) => {
    report.log.write("error", "unhandled", { error: reason instanceof Error ? reason.stack : String(reason) });
  });
  await using stack = new AsyncDisposableStack();
  stack.use(await claimDataDir(options.dataDir));
  const { server, port } = await listen(options.host, options.port);
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const page = await servePage(join(packageRoot, "dist", "page"));
  server.on("request", page);
  const url = options.url ?? pageUrl(options.host, port);
  const computer = await startComputer({ ...options, server, url, log: report.log });
  stack.defer(() => leave(computer, report));
  stack.use(await serveControl({ computer, path: controlPath(options.dataDir), log: report.log }));
  reportMembers(computer.net, report);
  greet(computer, report, url);
  const signal = await stop;
  report.say("leaving", "Saying goodbye …", { signal });
  return EXIT.ok;
}

function greet(computer: Computer, report: Report, url: string): void {
  const { net, cpu } = computer;
  const name = net.members().find((member) => member.isSelf)?.record.name ?? "";
  report.say(
    "up",
    `Starfish ${packageVersion()}. This node is called ${name} and lends ${cpu.lent} of ${cpu.cores} cores. Page: ${url}`,
    { version: packageVersion(), name, peer: net.self, swarm: net.swarm, coresLent: cpu.lent, url },
  );
  const invite = `${computer.inviteBase()}#${net.invite()}`;
  report.say("invite", `invite: ${invite}`, { invite });
}

/** Says goodbye, and does not wait for ever for peers that do not answer. */
async function leave(computer: Computer, report: Report): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    report.log.write("warn", "leave.slow", { afterMs: GOODBYE_MS });
    resolve();
  }, GOODBYE_MS);
  try {
    await Promise.race([computer[Symbol.asyncDispose](), promise]);
  } catch (error) {
    report.log.write(isStarfishError(error) ? "warn" : "error", "leave.failed", { error: messageOf(error) });
  } finally {
    clearTimeout(timer);
  }
}

/** The first signal asks for a clean end; a second one ends the process where it stands. */
function onSignals(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let firstAt: number | undefined;
  const receive = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (firstAt !== undefined && now - firstAt > SAME_SIGNAL_MS) process.exit(EXIT.interrupted);
    firstAt ??= now;
    resolve(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, receive);
  return promise;
}
