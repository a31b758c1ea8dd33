/** mem watch: shows each change as it comes, until Ctrl-C. */
import { utf8 } from "../../base/bytes.ts";
import type { MapChange } from "../../memory/types.ts";
import { abortable } from "../../ports/clock.ts";
import { count, dim, roughly } from "../format.ts";
import { atMostOneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { CommandContext, TerminalInfo } from "../types.ts";
import { cellsOf, joined, compose, plain, type Text } from "../styled.ts";
import { cut, widthOf } from "../width.ts";
import { entryJson } from "./entry.ts";
import { oneLine, preview, toJson } from "./value.ts";
import type { MemVerb } from "./verb.ts";
import { Writers, writerWords } from "./writers.ts";

/** Characters that wait for a slow reader: ten thousand changes of the usual size. */
const WAITING_CHARS_MAX: number = 1024 * 1024;
/** If a value has less room than this, it gets the writer's room too. */
const VALUE_CELLS_MIN = 8;

export const watch: MemVerb = {
  options: ["--json"],
  keys: "one",
  async run(context) {
    const { options, operands } = parseArguments(context.args, { json: "flag" });
    const prefix = atMostOneOperand(operands) ?? "";
    const { computer, stdout, stderr, terminal, signal } = context;
    const writers = new Writers(computer);
    const lines = new Lines();
    const lineOf = (change: MapChange): Text =>
      options.json === true
        ? changeJson(change, writers)
        : changeWords(change, writers, computer.memory.now(), terminal.stdout);
    const unsubscribe = computer.memory.watch(prefix, (change) => lines.add(lineOf(change)));
    try {
      await introduce(prefix, context);
      for (;;) {
        await abortable(signal, lines.some());
        const { text, skipped } = lines.take();
        if (skipped > 0) await stderr.write(utf8(`mem: ${count(skipped, "change")} came too fast to be shown\n`));
        await stdout.print(text);
      }
    } finally {
      unsubscribe();
      writers[Symbol.dispose]();
    }
  },
};

/** An empty screen would look as if nothing worked. */
async function introduce(prefix: string, { computer, stderr, terminal }: CommandContext): Promise<void> {
  if (terminal.stderr === undefined) return;
  const keys = count(computer.memory.count(prefix), "key");
  const which = prefix === "" ? keys : `${keys} that begin with '${oneLine(prefix)}'`;
  await stderr.print(compose`${dim(`Watching ${which}, and those to come. Ctrl-C ends it.`, terminal.stderr)}\n`);
}

/** `key = value`, by whom, and for how long. */
function changeWords(
  { key, entry }: MapChange,
  writers: Writers,
  nowMs: number,
  screen: TerminalInfo | undefined,
): Text {
  const width = screen?.columns ?? Number.POSITIVE_INFINITY;
  const name = cut(oneLine(key), Math.floor(width / 2));
  if (entry === undefined) return compose`${name} ${dim("is gone", screen)}`;
  const span = entry.expiresAtMs === undefined ? "" : `  for ${roughly(entry.expiresAtMs - nowMs)}`;
  const after = compose`  ${writerWords(writers.find(entry.version.writer), screen)}${span}`;
  const room = width - widthOf(name) - " = ".length;
  const left = room - cellsOf(after);
  // If there is no room for both, the value is more important than its writer.
  if (left < VALUE_CELLS_MIN) return `${name} = ${preview(entry.value, Math.max(1, room))}`;
  return compose`${name} = ${preview(entry.value, left)}${after}`;
}

function changeJson({ key, entry, isLocal }: MapChange, writers: Writers): string {
  return entry === undefined ? toJson({ key, gone: true, isLocal }) : entryJson(entry, writers);
}

/** Lines that are to be written, bounded. If the reader is too slow, the newest are kept and the others counted. */
class Lines {
  #waiting: Text[] = [];
  #chars = 0;
  #skipped = 0;
  #wake: (() => void) | undefined;

  add(line: Text): void {
    const { length } = plain(line);
    if (this.#chars + length > WAITING_CHARS_MAX) {
      this.#skipped += this.#waiting.length;
      this.#waiting = [];
      this.#chars = 0;
    }
    this.#waiting.push(compose`${line}\n`);
    this.#chars += length + 1;
    this.#wake?.();
  }

  /** Resolves when there are lines. One waiter. */
  async some(): Promise<void> {
    while (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  take(): { text: Text; skipped: number } {
    const taken = { text: joined(this.#waiting), skipped: this.#skipped };
    this.#waiting = [];
    this.#chars = 0;
    this.#skipped = 0;
    return taken;
  }
}
