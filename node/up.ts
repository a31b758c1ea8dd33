/**
 * `starfish up`: one node, from claiming its directory to saying goodbye. It serves the page, takes links from tabs and
 * other nodes, lends its cores, and listens for `starfish sh`.
 */
import { flushCompileCache } from "node:module";
import { appLink, inviteLink, isLocalLink } from "../core/net/identity/invite-link.ts";
import { terminalFacts } from "./terminal-facts.ts";
import { qrCode } from "../core/shell/qr-code.ts";
import { compose, type Text } from "../core/shell/styled.ts";
import type { TerminalInfo } from "../core/shell/types.ts";
import { bytesWords } from "../core/shell/format.ts";
import { StarfishError } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";
import { placeControl } from "./control-path.ts";
import { serveControl } from "./control.ts";
import { EXIT } from "./exit-status.ts";
import { Faults } from "./faults.ts";
import { askLending, rememberedLending, rememberLending, type Lending } from "./lending.ts";
import { openNode, type OpenNodeOptions } from "./open-node.ts";
import { packageVersion } from "./package-root.ts";
import { createReport, reportMembers, type Report } from "./report.ts";

export interface UpOptions extends Omit<OpenNodeOptions, "log"> {
  readonly json: boolean;
}

/**
 * Ctrl-C reaches the whole process group, and may also be passed on by a parent. A second signal within this time is
 * the same one.
 */
const SAME_SIGNAL_MS = 500;

/** Runs until a signal; resolves to the exit status. */
export async function up(options: UpOptions): Promise<number> {
  const report = createReport({ json: options.json });
  const stop = onSignals();
  const faults = new Faults(report.log);
  process.on("unhandledRejection", (reason) => faults.note("rejection", reason));
  await using stack = new AsyncDisposableStack();
  const { lending, isAsked } = await lendingOf(options);
  const { computer, url, fingerprint } = stack.use(await openNode({ ...options, ...lending, log: report.log, faults }));
  if (isAsked) await rememberLending(options.dataDir, lending);
  // Not before: a start that has failed anywhere has failed.
  process.on("uncaughtException", (error) => faults.note("exception", error));
  const { path } = stack.use(await placeControl(options.dataDir));
  stack.use(await serveControl({ computer, path, log: report.log }));
  reportMembers(computer.net, report);
  await greet(computer, report, { url, fingerprint, hasApp: options.app !== undefined });
  if (lending.cores === undefined || lending.storageBytes === undefined) {
    report.say("defaults", "These are the defaults; --cores and --storage change them.");
  }
  // Otherwise this happens at the end, and a node may be killed.
  flushCompileCache();
  const twin = Promise.withResolvers<never>();
  computer.net.onTwin(({ givesWay, message }) => {
    if (givesWay) twin.reject(new StarfishError("in-use", message));
    else report.say("twin", message);
  });
  // It may arrive after the signal.
  twin.promise.catch(() => {});
  const signal = await Promise.race([stop, twin.promise]);
  report.say("leaving", "Saying goodbye …", { signal });
  return EXIT.ok;
}

type SomeLending = Pick<UpOptions, "cores" | "storageBytes">;

/** From the command line, from an earlier choice, or by asking; undefined means the default. */
async function lendingOf(
  options: UpOptions,
): Promise<
  { readonly lending: SomeLending; readonly isAsked: false } | { readonly lending: Lending; readonly isAsked: true }
> {
  const { dataDir, cores, storageBytes, json } = options;
  const before = await rememberedLending(dataDir);
  const lending = { cores: cores ?? before?.cores, storageBytes: storageBytes ?? before?.storageBytes };
  const isSaid = lending.cores !== undefined && lending.storageBytes !== undefined;
  if (isSaid || json || !process.stdin.isTTY || !process.stdout.isTTY) return { lending, isAsked: false };
  const said = { ...(cores === undefined ? {} : { cores }), ...(storageBytes === undefined ? {} : { storageBytes }) };
  const streams = { input: process.stdin, output: process.stdout };
  return { lending: await askLending(dataDir, said, streams), isAsked: true };
}

/** Prints the invite first, and no other link, because no other would let anybody in. */
async function greet(
  computer: Computer,
  report: Report,
  page: { readonly url: string; readonly fingerprint: string | undefined; readonly hasApp: boolean },
): Promise<void> {
  const { net, cpu, storage } = computer;
  const { url, fingerprint } = page;
  const invite = inviteLink(computer);
  report.say("invite", `invite: ${invite}`, { invite });
  const app = page.hasApp ? appLink(computer) : undefined;
  if (app !== undefined) report.say("app", `app: ${app}`, { app });
  const terminal = terminalFacts(process.stdout);
  if (terminal !== undefined) report.draw(await forOthers(app ?? invite, terminal));
  const { offeredBytes } = storage.use();
  const name = net.members().find((member) => member.isSelf)?.record.name ?? "";
  report.say(
    "up",
    `Starfish ${packageVersion()}. This node is called ${name}, lends ${cpu.lent} of ${cpu.cores} cores and keeps up to ` +
      `${bytesWords(offeredBytes)} of the swarm's files.`,
    {
      version: packageVersion(),
      name,
      peer: net.self,
      swarm: net.swarm,
      coresLent: cpu.lent,
      storageBytes: offeredBytes,
      url,
      fingerprint,
    },
  );
  if (fingerprint !== undefined) {
    report.say("certificate", `The page's certificate has the SHA-256 fingerprint ${fingerprint}.`, { fingerprint });
  }
}

const ONLY_HERE =
  "Open this link in a browser on this machine. To let other devices in, start the node with --host 0.0.0.0.\n";

/** The QR code for a phone, or the reason why there is none. */
async function forOthers(invite: string, terminal: TerminalInfo): Promise<Text> {
  if (isLocalLink(invite)) return ONLY_HERE;
  const code = await qrCode(invite, terminal);
  return code === "" ? "" : compose`\n${code}\n\n`;
}

/** The first signal asks for a clean end; a second one ends the process at once. */
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
