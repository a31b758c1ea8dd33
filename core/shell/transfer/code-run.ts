/** Runs `send --code`: opens a code, prints it, and stays until the thing has been fetched or can't be any more. */
import type { CodeProgress } from "../../io/codes/types.ts";
import { WRONG_MAX } from "../../io/codes/limits.ts";
import { isLocalLink } from "../../net/identity/invite-link.ts";
import { every } from "../../ports/clock.ts";
import { Missing } from "../files/missing.ts";
import { bytesWords, count, duration } from "../format.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import type { CommandContext } from "../types.ts";
import { sourceOf } from "./source.ts";
import { StateLine } from "./state-line.ts";

/** How often the line says how long the code is still valid. */
const REDRAW_MS = 10_000;

const ONLY_HERE = "It works on this machine only. For others' devices, start the node with --host 0.0.0.0 or --url.\n";
const UNPROTECTED =
  "The page goes by plain http: whoever runs the network in between could change it and learn the words. A node with --tls self prevents that.\n";

export async function runSendCode(context: CommandContext): Promise<number> {
  const { computer, signal, stdout } = context;
  const { options, operands } = parseArguments(context.args, { json: "flag", code: "flag" });
  const isJson = options.json === true;
  const missing = new Missing("send", context, () => line.hide());
  const line = new StateLine("send --code", context);
  const watch = new Watch(line, context);
  const redrawing = every(computer.clock, REDRAW_MS, () => watch.show());
  try {
    line.wait("looking at what is to be sent");
    const source = await sourceOf(operands, missing, context);
    const files = source.entries.filter(({ kind }) => kind === "file").length;
    const sizes = source.entries.map(({ sizeBytes }) => sizeBytes);
    const isPipe = sizes.includes(undefined);
    const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    const codes = await computer.codes();
    const open = await codes.offer(source, { signal, onProgress: (progress) => void watch.tell(progress) });
    line.hide();
    const { code, link, untilMs } = open;
    if (isJson) await stdout.print(`${JSON.stringify({ code, link, untilMs, files, bytes: isPipe ? null : bytes })}\n`);
    else {
      const what = isPipe ? "the pipe" : `${count(files, "file")}, ${bytesWords(bytes)}`;
      await stdout.print(`${code}\n${link}\n`);
      await stdout.print(
        `Whoever opens this link within an hour, or types the words at ${link.replace(/#.*$/, "")}, gets it once (${what}) and nothing else.\n`,
      );
      if (isLocalLink(link)) await stdout.print(ONLY_HERE);
      else if (link.startsWith("http:")) await stdout.print(UNPROTECTED);
    }
    watch.begin();
    await open.fetched;
    line.hide();
    const { doneBytes, wrong, ms } = watch;
    if (isJson)
      await stdout.print(`${JSON.stringify({ fetched: true, bytes: doneBytes, wrong, ms: Math.round(ms) })}\n`);
    else
      await stdout.print(`It was fetched: ${bytesWords(doneBytes)} in ${duration(ms)}. The code is no longer valid.\n`);
  } finally {
    redrawing.cancel();
    line.hide();
  }
  await missing.sum();
  return missing.count === 0 ? STATUS.ok : STATUS.failed;
}

/** What the line says during the fetch. */
class Watch {
  readonly #line: StateLine;
  readonly #context: CommandContext;
  #last: CodeProgress | undefined;
  /** The end of the code's time. */
  #untilMs = 0;
  #beganMs: number | undefined;
  #isShown = false;

  constructor(line: StateLine, context: CommandContext) {
    this.#line = line;
    this.#context = context;
  }

  get doneBytes(): number {
    return this.#last?.doneBytes ?? 0;
  }

  get wrong(): number {
    return this.#last?.wrong ?? 0;
  }

  /** Time since bytes began to move. */
  get ms(): number {
    const nowMs = this.#context.computer.clock.monotonic();
    return nowMs - (this.#beganMs ?? nowMs);
  }

  async tell(progress: CodeProgress): Promise<void> {
    const { wrong } = this;
    this.#last = progress;
    const nowMs = this.#context.computer.clock.monotonic();
    this.#untilMs = nowMs + progress.leftMs;
    if (progress.state === "sending") this.#beganMs ??= nowMs;
    if (progress.wrong > wrong && progress.wrong < WRONG_MAX) {
      this.#line.hide();
      // Like the line, this message is not needed for the transfer, so a failure to print it is ignored.
      await this.#context.stderr
        .print(`send: somebody tried wrong words: ${progress.wrong} of ${WRONG_MAX}\n`)
        .catch(() => {});
    }
    this.show();
  }

  /** The code has been printed. From now on a line shows the state. */
  begin(): void {
    this.#isShown = true;
    this.show();
  }

  show(): void {
    const progress = this.#last;
    if (progress === undefined || !this.#isShown) return;
    const { state, doneBytes, totalBytes, isReachable } = progress;
    if (state === "sending") return this.#line.progress(doneBytes, totalBytes);
    if (!isReachable) return this.#line.wait("the node that serves the page is out of reach; looking for it");
    if (state === "interrupted") return this.#line.wait("the link broke; waiting for them to come back");
    const left = duration(Math.max(0, this.#untilMs - this.#context.computer.clock.monotonic()));
    const what = state === "looking" ? "somebody with the code looks at it" : "waiting for somebody with the code";
    this.#line.wait(`${what}; valid for another ${left}`);
  }
}
