/** The programs of one session: those of the table by name, and any file of the tree that is a program by its path. */
import { concat, type Bytes } from "../../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError, type ErrorCode } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { PROGRAMS_FOLDER } from "../../jobs/engines.ts";
import type { Programs } from "../../ports/programs.ts";
import { isModule } from "../../process/clamp.ts";
import { MEMORY_BYTES_MAX, PROGRAM_BYTES_MAX } from "../../process/limits.ts";
import type { ProgramEnd } from "../../process/messages.ts";
import { ProgramRunner } from "../../process/runner.ts";
import type { ProgramStream } from "../../process/types.ts";
import { decodeText, encodeText } from "../language/bytes.ts";
import { Descriptor } from "../language/descriptor.ts";
import type { ExternalCall } from "../language/frame.ts";
import { bytesFile, reasonOf } from "../language/redirect.ts";
import type { Namespace } from "../namespace/namespace.ts";
import { STATUS } from "../status.ts";
import { fileNameOf, programFiles, programNamed, type ProgramFile } from "./table.ts";
import { programTree } from "./tree.ts";

/** What a shell needs from the place where it runs, to run programs. */
export interface ProgramPlatform {
  readonly threads: Programs;
  /** The bytes of a program of the table, from where this node's code came. Rejects with "not-found", "io". */
  load(file: ProgramFile): Promise<Bytes>;
  /** In hexadecimal. */
  sha256(bytes: Bytes): Promise<string>;
}

export class SessionPrograms {
  readonly #place: ProgramPlatform;
  readonly #names: Namespace;
  readonly #runner: ProgramRunner;

  constructor(place: ProgramPlatform, names: Namespace, clock: Clock) {
    this.#place = place;
    this.#names = names;
    this.#runner = new ProgramRunner({
      programs: place.threads,
      tree: programTree(names),
      clock,
      text: { encode: encodeText, decode: decodeText },
    });
  }

  has(name: string): boolean {
    return programNamed(name) !== undefined;
  }

  names(): string[] {
    return programFiles.map(({ name }) => name);
  }

  /** A program of the table. */
  async run(call: ExternalCall): Promise<number> {
    const file = programNamed(call.name);
    if (file === undefined) return STATUS.notFound;
    if (file.name === "jq" && !call.args.includes("--help")) return await this.#jq(call, file);
    return await this.#run(call, file.sha256, () => this.#fetch(file));
  }

  /** With the usual words of jq; see jq-words.ts. */
  async #jq(call: ExternalCall, file: ProgramFile): Promise<number> {
    try {
      const { jqWords } = await import("./jq-words.ts");
      const { args, files, filterFile } = jqWords(call.args);
      const [filter = "", ...options] = [...args].reverse();
      const text = filterFile === undefined ? "" : decodeText(await this.#readAll(filterFile, call));
      const input = files.length === 0 ? undefined : concat(await this.#readEach(files, call));
      const stdin = input === undefined ? call.descriptors.get(0) : new Descriptor(bytesFile(input));
      const descriptors = { get: (number: number) => (number === 0 ? stdin : call.descriptors.get(number)) };
      const adapted: ExternalCall = { ...call, descriptors, args: [...options.reverse(), filter + text] };
      return await this.#run(adapted, file.sha256, () => this.#fetch(file));
    } catch (error) {
      if (!isStarfishError(error) || call.signal.aborted) throw error;
      await say(call, messageOf(error));
      return JQ_USAGE;
    }
  }

  async #readEach(files: readonly string[], call: ExternalCall): Promise<Bytes[]> {
    const parts: Bytes[] = [];
    for (const one of files) parts.push(await this.#readAll(one, call));
    return parts;
  }

  async #readAll(shown: string, call: ExternalCall): Promise<Bytes> {
    const descriptor = shown === "-" ? call.descriptors.get(0)?.retain() : undefined;
    const parts: Uint8Array[] = [];
    try {
      const open = descriptor ?? (await call.open(shown, "read"));
      let length = 0;
      for (let piece = await open.read(); piece !== undefined; piece = await open.read()) {
        length += piece.length;
        if (length > MEMORY_BYTES_MAX)
          throw new StarfishError("too-large", "it is larger than the memory of a program");
        parts.push(piece);
      }
      await open.release();
    } catch (error) {
      if (!isStarfishError(error) || call.signal.aborted) throw error;
      throw new StarfishError(error.code, `error: Could not open ${shown}: ${reasonOf(error)}`, { cause: error });
    }
    return concat(parts);
  }

  /** Undefined if the first bytes show that the file is no program. */
  runFile(path: string, head: Uint8Array, call: ExternalCall): Promise<number> | undefined {
    return isModule(head) ? this.#runPath(path, call) : undefined;
  }

  /** Ends all running programs. */
  close(): void {
    this.#runner.close();
  }

  async #runPath(path: string, call: ExternalCall): Promise<number> {
    const entry = await this.#names.entry(path, { signal: call.signal });
    const key = [path, entry?.identity, entry?.sizeBytes, entry?.modifiedAtMs].join(" ");
    return await this.#run(call, key, () => this.#readFile(path, call.signal));
  }

  async #readFile(path: string, signal: AbortSignal): Promise<Bytes> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of this.#names.read(path, { signal })) {
      length += part.length;
      if (length > PROGRAM_BYTES_MAX)
        throw new StarfishError("too-large", `a program has at most ${PROGRAM_BYTES_MAX} bytes`);
      parts.push(part);
    }
    return concat(parts);
  }

  /** From where this node's code came, else from the swarm's own files; the hash says whether it is the right file. */
  async #fetch(file: ProgramFile): Promise<Bytes> {
    const kept = `${PROGRAMS_FOLDER}/${fileNameOf(file)}`;
    const reasons: string[] = [];
    for (const load of [() => this.#place.load(file), () => this.#readFile(kept, new AbortController().signal)]) {
      try {
        const bytes = await load();
        if ((await this.#place.sha256(bytes)) === file.sha256) return bytes;
        reasons.push("what came is not what its hash says");
      } catch (error) {
        if (!isStarfishError(error)) throw error;
        reasons.push(error.message);
      }
    }
    throw new StarfishError("not-found", `this program could not be had: ${reasons.join("; ")}`);
  }

  async #run(call: ExternalCall, moduleKey: string, load: () => Promise<Bytes>): Promise<number> {
    const streams = new Map<number, ProgramStream>();
    for (const number of [0, 1, 2]) {
      const descriptor = call.descriptors.get(number);
      if (descriptor !== undefined) streams.set(number, streamOf(descriptor, call));
    }
    try {
      const end = await this.#runner.run({
        name: call.name,
        moduleKey,
        load,
        args: [call.name, ...call.args],
        environment: call.environment,
        cwd: call.cwd,
        streams,
        openStream: async (path) => {
          const descriptor = await call.open(path, "read");
          return { ...streamOf(descriptor, call), close: () => descriptor.release() };
        },
        signal: call.signal,
      });
      return await statusOf(end, call);
    } catch (error) {
      if (!isStarfishError(error) || call.signal.aborted) throw error;
      await say(call, messageOf(error));
      return CANNOT_RUN;
    }
  }
}

function streamOf(descriptor: Descriptor, { process }: ExternalCall): ProgramStream {
  const { file } = descriptor;
  const turn = async (): Promise<void> => {
    const stopped = process.rest();
    if (stopped !== undefined) await stopped;
  };
  return {
    type: file.terminal?.() === undefined ? "pipe" : "terminal",
    ...(descriptor.isReadable
      ? {
          ...(file.reuse === undefined ? {} : { reuse: (pieces: readonly Uint8Array[]) => file.reuse?.(pieces) }),
          ready: () => descriptor.ready(),
          read: () => descriptor.read(() => process.rest()),
          unread: (bytes: Uint8Array) => descriptor.unread(bytes),
        }
      : {}),
    ...(file.write === undefined
      ? {}
      : {
          async write(bytes: Bytes) {
            await turn();
            await file.write?.(bytes);
          },
        }),
  };
}

/** As in POSIX: found but can't be run; ended by SIGABRT, by SIGKILL, by SIGPIPE. */
const CANNOT_RUN = 126;
/** jq's own statuses, for words that it does not understand and files that it can't open. */
const JQ_USAGE = 2;
const ABORTED = 134;
const KILLED = 137;
const UNRUNNABLE: ReadonlySet<ErrorCode> = new Set([
  "not-wasm",
  "wasm-imports",
  "wasm-abi",
  "wasm-unsupported",
  "unsupported",
]);

async function statusOf(end: ProgramEnd, call: ExternalCall): Promise<number> {
  if (end.is === "exit") return end.status & 0xff;
  if (end.is === "broken-pipe") return STATUS.brokenPipe;
  if (end.is === "killed") return KILLED;
  await say(call, end.message);
  return statusOfFailure(end.code);
}

function statusOfFailure(code: ErrorCode): number {
  if (UNRUNNABLE.has(code)) return CANNOT_RUN;
  if (code === "wasm-trap") return ABORTED;
  return code === "out-of-memory" || code === "closed" ? KILLED : STATUS.failed;
}

async function say({ name, descriptors }: ExternalCall, message: string): Promise<void> {
  await descriptors
    .get(2)
    ?.file.write?.(encodeText(`${name}: ${message}\n`))
    .catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
}
