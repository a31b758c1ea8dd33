/** less, edit, watch: programs that use the whole screen. Their code is loaded when they are first called. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { sleep } from "../../ports/clock.ts";
import { oneOperand } from "../operands.ts";
import { getopt, type OptionSpecs } from "../getopt.ts";
import { quoteAlways } from "../language/quoting.ts";
import { readAll } from "../pipe.ts";
import type { FullScreen } from "../terminal/full-screen.ts";
import type { LessInput } from "../terminal/less/less.ts";
import type { Command, CommandContext } from "../types.ts";

const LESS_SPECS: OptionSpecs = {
  S: { long: "chop-long-lines" },
  N: { long: "LINE-NUMBERS" },
  i: { long: "ignore-case" },
  F: { long: "quit-if-one-screen" },
  R: { long: "RAW-CONTROL-CHARS" },
  X: { long: "no-init" },
};

export const less: Command = {
  name: "less",
  summary: "read a text screen by screen",
  help: `
usage: less [-SNi] [FILE…]

Shows files, or a pipe, a screen at a time. h lists the keys: space and b go forward and back, /TEXT searches, n finds
the next match, g and G go to the beginning and the end, F waits for more, q leaves. -S cuts long lines, -N numbers lines,
-i ignores case. Of a pipe the last 32 MiB are kept.

  seq 1000 | less
`,
  usageStatus: 1,
  async run(context) {
    const options = getopt(context.args, LESS_SPECS);
    const inputs = await lessInputs(options.operands, context);
    if (context.fullScreen === undefined) return await copy(options.operands, context);
    const { runLess } = await import("../terminal/less/less.ts");
    return await onScreen(context, (screen) => runLess(context, screen, inputs, options));
  },
  complete: (words) => ((words.at(-1) ?? "").startsWith("-") ? ["-S", "-N", "-i"] : []),
};

const moreHelp: string = less.help.replaceAll("less", "more");
export const more: Command = { ...less, name: "more", summary: "the same as less", help: moreHelp };

async function lessInputs(operands: readonly string[], context: CommandContext): Promise<LessInput[]> {
  const { names, signal, terminal } = context;
  if (operands.length === 0 && terminal.stdin !== undefined)
    throw new StarfishError("usage", "missing FILE (or a pipe into it)");
  const inputs: LessInput[] = [];
  for (const operand of operands.length === 0 ? ["-"] : operands) {
    if (operand === "-") {
      inputs.push({ name: "", source: { isSeekable: false, read: () => context.stdin } });
      continue;
    }
    const path = context.path(operand);
    const entry = path.startsWith("/dev/") ? undefined : await names.stat(path, { signal });
    if (entry?.kind === "directory") throw new StarfishError("is-a-directory", `${operand}: Is a directory`);
    const isSeekable = entry?.kind === "file";
    if (entry === undefined && !path.startsWith("/dev/"))
      throw new StarfishError("not-found", `${operand}: No such file or directory`);
    const read = isSeekable
      ? (from: number, to?: number) => names.read(path, { from, to, signal })
      : () => context.input(operand);
    inputs.push({ name: operand, source: { isSeekable, read } });
  }
  return inputs;
}

/** Without a terminal it does what cat does. */
async function copy(operands: readonly string[], { input, stdout }: CommandContext): Promise<number> {
  for (const operand of operands.length === 0 ? ["-"] : operands)
    for await (const piece of input(operand)) await stdout.write(piece);
  return 0;
}

async function onScreen(
  { fullScreen, signal }: CommandContext,
  work: (screen: FullScreen) => Promise<number>,
): Promise<number> {
  if (fullScreen === undefined) throw new StarfishError("unsupported", "needs a terminal");
  const screen = fullScreen();
  const close = (): void => screen.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return await work(screen);
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** A text is in memory several times, with the history for undo. */
const EDIT_BYTES_MAX: number = 4 * 1024 * 1024;

export const edit: Command = {
  name: "edit",
  summary: "change a text",
  help: `
usage: edit FILE

Opens a text of any tree, or begins a new one. Ctrl-S saves, Ctrl-F finds, Ctrl-_ undoes and Ctrl-Y redoes, Ctrl-K cuts
a line and Ctrl-U pastes it, Ctrl-Q leaves, and asks if something is not saved. Files up to 4 MiB.

  edit /notes.txt
`,
  usageStatus: 1,
  async run(context) {
    const { operands } = getopt(context.args, {});
    const operand = oneOperand(operands, "FILE");
    if (context.fullScreen === undefined) throw new StarfishError("unsupported", "needs a terminal");
    const path = context.path(operand);
    const bytes = await present(path, operand, context);
    const { runEdit } = await import("../terminal/edit/edit.ts");
    return await onScreen(context, (screen) => runEdit(context, screen, path, bytes));
  },
};

async function present(path: string, operand: string, context: CommandContext): Promise<Uint8Array | undefined> {
  const { names, signal } = context;
  const entry = await names.stat(path, { signal });
  if (entry === undefined) return undefined;
  if (entry.kind === "directory") throw new StarfishError("is-a-directory", `${operand}: Is a directory`);
  try {
    return await readAll(names.read(path, { signal }), EDIT_BYTES_MAX);
  } catch (error) {
    if (!isStarfishError(error, "too-large")) throw error;
    throw new StarfishError("too-large", `${operand} is larger than 4 MiB, more than can be edited; less shows it`);
  }
}

/** The part of a command's output that a screen can show. */
const WATCH_BYTES_MAX: number = 256 * 1024;

export const watch: Command = {
  name: "watch",
  summary: "run a command again and again, and show its output",
  help: `
usage: watch [-n SECONDS] [-t] COMMAND [WORD…]

Runs COMMAND every 2 seconds (or SECONDS, at least 0.1) and shows its output, until q or Ctrl-C. The words are a line of
the shell, as in 'watch "ls /net | wc -l"'. -t leaves the title out.

  watch -n 1 date
`,
  usageStatus: 1,
  verbatim: true,
  async run(context) {
    const options = getopt(
      context.args,
      { n: { long: "interval", value: true }, t: { long: "no-title" } },
      { isPosix: true },
    );
    if (options.operands.length === 0) throw new StarfishError("usage", "COMMAND is missing");
    const seconds = Number(options.value("n") ?? 2);
    if (!(seconds >= 0.1 && seconds <= 86_400))
      throw new StarfishError("usage", "the interval must be 0.1 to 86400 seconds");
    if (context.fullScreen === undefined) throw new StarfishError("unsupported", "needs a terminal");
    const { runWatch } = await import("../terminal/watch.ts");
    const line =
      options.operands.length === 1 ? (options.operands[0] ?? "") : options.operands.map(quoteAlways).join(" ");
    const output = async (signal: AbortSignal): Promise<Uint8Array> => await outputOf(line, context, signal);
    const pause = (signal: AbortSignal): Promise<void> => sleep(context.computer.clock, seconds * 1000, { signal });
    const title = options.has("t") ? undefined : `Every ${seconds.toFixed(1)} s: ${options.operands.join(" ")}`;
    return await onScreen(context, (screen) => runWatch(screen, title, output, pause));
  },
};

async function outputOf(line: string, context: CommandContext, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const stdout = {
    write: (bytes: Uint8Array): Promise<void> => {
      if (length < WATCH_BYTES_MAX) parts.push(bytes.slice(0, WATCH_BYTES_MAX - length));
      length += bytes.length;
      return Promise.resolve();
    },
  };
  await context.run(["bash", "-c", `{ ${line}\n} 2>&1`], { stdout, signal });
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
