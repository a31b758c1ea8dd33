/** put: brings files of the person's machine into the swarm. */
import { utf8 } from "../../base/bytes.ts";
import { throwIfAborted } from "../../base/errors.ts";
import type { ContentStat, FileInfo, PutProgress } from "../../disk/types.ts";
import { abortable } from "../../ports/clock.ts";
import { type Incoming, incoming } from "../files/incoming.ts";
import { Targets } from "../files/operands.ts";
import { baseName, completePath } from "../files/paths.ts";
import { TransferLine } from "../files/progress.ts";
import { leastSafe, safetyWords } from "../files/words.ts";
import { bytesWords, count } from "../format.ts";
import { oneLine } from "../mem/value.ts";
import { parseArguments } from "../options.ts";
import type { Command, CommandContext } from "../types.ts";

/** Small files cost a round trip to the host each; large ones share what there is. */
const FILES_AT_ONCE = 8;

interface Brought {
  readonly info: FileInfo;
  readonly safe: Promise<void>;
}

export const put: Command = {
  name: "put",
  summary: "bring files of your machine into the swarm",
  help: `
usage: put [HOSTPATH…] [DEST] [--no-wait] [--json]

Stores files and whole directories of your machine; '-' is standard input. One file goes to DEST, or into it if that is a
directory or ends with a slash; without DEST into the root. In a browser tab, where files have no paths, a file picker
opens: 'put' or 'put DEST'. Within a directory, links to other directories, sockets and the like are passed over, and
named.

Waits until the files are safe: any half of the devices may go then. Says which loss they survive, or that they are on
this device only, because there is no other. --no-wait returns as soon as this node has them. Ctrl-C leaves no file
half-written.

  echo hello | put - /hello.txt
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, { "no-wait": "flag", json: "flag" });
    const isWaiting = options["no-wait"] !== true;
    const line = new TransferLine("put", context);
    const placing = new Placing(context);
    const brought: Brought[] = [];
    try {
      await bringAll(operands, brought, line, placing, context);
      line.hide();
      if (isWaiting) await placing.wait(brought);
    } catch (error) {
      if (brought.length > 0 && context.signal.aborted) await sayWhatIsThere(brought, context);
      throw error;
    } finally {
      line.hide();
      placing.hide();
    }
    await report(brought, options.json === true, context);
    return 0;
  },
  complete: completePath,
};

/** Several at once; the first that fails ends all. */
async function bringAll(
  operands: readonly string[],
  brought: Brought[],
  line: TransferLine,
  placing: Placing,
  outer: CommandContext,
): Promise<void> {
  const stop = new AbortController();
  const context = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) };
  const running = new Set<Promise<void>>();
  const targets = new Targets();
  let failure: unknown;
  const run = async (one: Incoming & { kind: "file" }): Promise<void> => {
    try {
      brought.push(await bring(one, line, placing, context));
    } catch (error) {
      failure ??= error;
      stop.abort(error);
    }
  };
  try {
    for await (const one of incoming(operands, context)) {
      throwIfAborted(context.signal);
      if (one.kind === "directory") {
        context.computer.files.makeDirectory(one.target, { parents: true });
        continue;
      }
      if (one.kind === "passed over") {
        line.hide();
        await outer.stderr.write(utf8(`put: passed over ${oneLine(one.source)}, which is no file\n`));
        continue;
      }
      targets.add(one.target);
      const task = run(one).finally(() => running.delete(task));
      running.add(task);
      if (running.size >= FILES_AT_ONCE) await Promise.race(running);
    }
  } catch (error) {
    failure ??= error;
    stop.abort(error);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure;
}

async function bring(
  one: Incoming & { kind: "file" },
  line: TransferLine,
  placing: Placing,
  { computer, signal }: CommandContext,
): Promise<Brought> {
  const source = await one.open();
  try {
    line.title = `put ${oneLine(baseName(one.target))}`;
    if (source.sizeBytes !== undefined) line.expect(source.sizeBytes);
    const options = { signal, onProgress: placing.of(one.target) };
    return await computer.files.write(one.target, line.through(source.stream), options);
  } finally {
    await source.close();
  }
}

/** How much of what was taken in is placed as promised. */
class Placing {
  readonly #context: CommandContext;
  readonly #safeBytes = new Map<string, number>();
  #line: TransferLine | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  of(target: string): (progress: PutProgress) => void {
    return ({ safeBytes }) => {
      this.#line?.add(safeBytes - (this.#safeBytes.get(target) ?? 0));
      this.#safeBytes.set(target, safeBytes);
    };
  }

  async wait(brought: readonly Brought[]): Promise<void> {
    this.#line = new TransferLine("making it safe", this.#context);
    this.#line.expect(brought.reduce((sum, { info }) => sum + info.sizeBytes, 0));
    this.#line.add([...this.#safeBytes.values()].reduce((sum, bytes) => sum + bytes, 0));
    for (const { safe } of brought) await abortable(this.#context.signal, safe);
  }

  hide(): void {
    this.#line?.hide();
  }
}

async function report(brought: readonly Brought[], isJson: boolean, context: CommandContext): Promise<void> {
  const { computer, signal, stdout } = context;
  const stats: ContentStat[] = [];
  for (let at = 0; at < brought.length; at += FILES_AT_ONCE) {
    const some = brought.slice(at, at + FILES_AT_ONCE);
    stats.push(...(await Promise.all(some.map(({ info }) => computer.files.statContent(info.path, { signal })))));
  }
  const worst = leastSafe(stats);
  if (isJson) {
    const rows = brought.map(({ info }, i) => ({
      path: info.path,
      sizeBytes: info.sizeBytes,
      cid: info.content?.cid ?? null,
      safety: stats[i]?.safety ?? null,
      survivesAny: stats[i]?.survivesAny ?? null,
    }));
    await stdout.write(utf8(`${JSON.stringify(rows)}\n`));
    return;
  }
  const safety = worst === undefined ? "" : `, ${safetyWords(worst)}`;
  await stdout.write(utf8(`${what(brought)}${safety}\n`));
}

async function sayWhatIsThere(brought: readonly Brought[], { lastWords }: CommandContext): Promise<void> {
  const are = brought.length === 1 ? "is" : "are";
  await lastWords.write(utf8(`put: ${what(brought)} ${are} there; 'stat' says how safe by now\n`));
}

function what(brought: readonly Brought[]): string {
  const [first] = brought;
  const size = bytesWords(brought.reduce((sum, { info }) => sum + info.sizeBytes, 0));
  if (brought.length === 1 && first !== undefined) return `${oneLine(first.info.path)}: ${size}`;
  return `${count(brought.length, "file")}, ${size}`;
}
