/** put: stores files of the user's machine in the swarm. */
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { ContentStat, FileInfo, PutProgress } from "../../disk/types.ts";
import { abortable } from "../../ports/clock.ts";
import { type Incoming, incoming } from "../files/incoming.ts";
import { isOfOne, Missing } from "../files/missing.ts";
import { Targets } from "../files/operands.ts";
import { baseName } from "../files/paths.ts";
import { TransferLine } from "../files/progress.ts";
import { leastSafe, safetyWords } from "../files/words.ts";
import { bytesWords, count } from "../format.ts";
import { oneLine } from "../mem/value.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import type { Command, CommandContext } from "../types.ts";

/** Small files each cost a round trip to the host; large ones share its bandwidth. */
const FILES_AT_ONCE = 8;

interface Brought {
  readonly info: FileInfo;
  readonly safe: Promise<void>;
}

const FLAGS = { "no-wait": "flag", json: "flag", unpack: "flag", tar: "flag", zip: "flag", car: "flag" } as const;

export const put: Command = {
  name: "put",
  summary: "store files of your machine in the swarm",
  help: `
usage: put [HOSTPATH…] [DEST] [--no-wait] [--json]
       put --unpack [--tar | --zip | --car] HOSTPATH [DEST] [--no-wait]

Stores files and whole directories of your machine; '-' is standard input. A file becomes DEST, or goes into DEST if that
is a directory or ends with a slash; the default is the current directory. In a browser tab, where files have no paths,
'put' or 'put DEST' opens a file picker. Links to directories, sockets and the like within a directory are skipped and
named. A file that can't be read or stored (its name is not UTF-8, or a directory has that name) is skipped and named, and
the status is 1. It is 1 too if a file was written to while it was read.

Waits until the files are safe, that is until any half of the devices may be lost. Says which loss they survive, or that
they are on this device only. --no-wait returns as soon as this node has them. Ctrl-C leaves no file half-written.

--unpack unpacks an archive; its name (.car, .tar, .zip) or an option says the format. A CAR with one file becomes DEST
itself, and keeps its CID if it was cut as IPFS cuts files today; of several roots, each goes into DEST under its CID. A
hard link is a copy, which takes no space. Entries that can't be stored (symbolic links, devices, names that are not UTF-8
or lead out of DEST) or read are skipped and named, and the status is 1.

  echo hello | put - /docs/hello.txt
  get --tar /docs - | put --unpack --tar - /copy
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, FLAGS);
    const isWaiting = options["no-wait"] !== true;
    const asked = (["car", "tar", "zip"] as const).filter((format) => options[format] === true);
    if (asked.length > 1) throw new StarfishError("usage", "give only one of --tar, --zip and --car");
    if (options.unpack === true) {
      const { unpack } = await import("../files/unpack.ts");
      return await unpack(operands, asked[0], isWaiting, context);
    }
    if (asked.length > 0) throw new StarfishError("usage", `--${asked[0] ?? ""} needs --unpack`);
    const line = new TransferLine("put", context);
    const placing = new Placing(context);
    const brought: Brought[] = [];
    const missing = new Missing("put", context, () => line.hide());
    try {
      await bringAll(operands, brought, { line, placing, missing }, context);
      line.hide();
      if (isWaiting) await placing.wait(brought);
    } catch (error) {
      // Other members can read these files, whatever has failed.
      if (brought.length > 0) await sayWhatIsThere(brought, context);
      throw error;
    } finally {
      line.hide();
      placing.hide();
    }
    const isJson = options.json === true;
    if (brought.length > 0 || missing.count === 0 || isJson) await report(brought, isJson, context);
    if (brought.length > 0) await missing.sum();
    return missing.count === 0 ? STATUS.ok : STATUS.failed;
  },
};

interface Told {
  readonly line: TransferLine;
  readonly placing: Placing;
  readonly missing: Missing;
}

/** Stores several files at once. An error of one file is reported; an error that concerns all ends all. */
async function bringAll(
  operands: readonly string[],
  brought: Brought[],
  told: Told,
  outer: CommandContext,
): Promise<void> {
  const stop = new AbortController();
  const context = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) };
  const running = new Set<Promise<void>>();
  const targets = new Targets();
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    stop.abort(error);
  };
  const run = async (one: Incoming & { kind: "file" }): Promise<void> => {
    try {
      brought.push(await bring(one, told, context));
    } catch (error) {
      if (error instanceof SourceFault && !context.signal.aborted) await told.missing.tell(error.message);
      else if (isOfOne(error)) await told.missing.tell(error.message);
      else throw error;
    }
  };
  try {
    for await (const one of incoming(operands, context)) {
      throwIfAborted(context.signal);
      if (!(await begins(one, targets, told.missing, context)) || one.kind !== "file") continue;
      const task = run(one)
        .catch(fail)
        .finally(() => running.delete(task));
      running.add(task);
      if (running.size >= FILES_AT_ONCE) await Promise.race(running);
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure;
}

/** Whether the file can be stored. */
async function begins(
  one: Incoming,
  targets: Targets,
  missing: Missing,
  { computer }: CommandContext,
): Promise<boolean> {
  if (one.kind === "missing") await missing.tell(one.error.message);
  else if (one.kind === "passed over") await missing.note(`passed over ${one.source}, which is no file`);
  else {
    try {
      if (one.kind === "file") targets.add(one.target);
      else computer.files.makeDirectory(one.target, { parents: true });
      return true;
    } catch (error) {
      if (!isOfOne(error)) throw error;
      await missing.tell(error.message);
    }
  }
  return false;
}

/** The source of a file could not be read; its target is not to blame. */
class SourceFault extends Error {}

async function bring(
  one: Incoming & { kind: "file" },
  { line, placing, missing }: Told,
  { computer, signal }: CommandContext,
): Promise<Brought> {
  let fault: SourceFault | undefined;
  const faulty = (error: unknown): never => {
    if (isStarfishError(error) && error.code !== "closed") {
      fault = new SourceFault(error.message, { cause: error });
    }
    throw fault ?? error;
  };
  const watched = async function* (stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } catch (error) {
      faulty(error);
    }
  };
  const source = await one.open().catch(faulty);
  try {
    line.title = `put ${oneLine(baseName(one.target))}`;
    if (source.sizeBytes !== undefined) line.expect(source.sizeBytes);
    const options = { signal, onProgress: placing.of(one.target) };
    const written = await computer.files.write(one.target, line.through(watched(source.stream)), options);
    if (source.isChanged()) {
      await missing.tell(`${one.source} was written to while it was read: what is stored may be of both versions`);
    }
    return written;
  } catch (error) {
    throw fault ?? error;
  } finally {
    await source.close();
  }
}

/** How much of the stored bytes is placed as promised. */
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
      machines: stats[i]?.machines ?? null,
      survivesAnyMachines: stats[i]?.survivesAnyMachines ?? null,
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
