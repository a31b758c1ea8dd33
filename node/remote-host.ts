/**
 * The user's disk at the other end of the control socket, as a shell's host: files by path, relative to the user's
 * directory. Each call is a request with a number, answered by pieces of data and an end. Files pass in pieces, each
 * asked for or acknowledged, so that neither end ever holds more than some pieces of a file.
 */
import { concat, type Bytes } from "../core/base/bytes.ts";
import { decode } from "../core/base/codec.ts";
import { own, release } from "../core/base/owned.ts";
import { isStarfishError, StarfishError } from "../core/base/errors.ts";
import { abortable } from "../core/ports/clock.ts";
import type { ProgramPlatform } from "../core/shell/programs/session.ts";
import type { Host, HostEntry, HostFile, HostWriter } from "../core/shell/types.ts";
import { nodeProgramPlatform } from "./program-platform.ts";
import {
  directoryFacts,
  FILE_BYTES_MAX,
  fileFacts,
  KIND,
  PATH_CHARS_MAX,
  read,
  readPiece,
  schemas,
  WRITE_BYTES_MAX,
  writeBody,
  type Frame,
  type FrameSocket,
} from "./frames.ts";

/** Requests on their way at once: a few for each stage of a long pipe. */
const REQUESTS_MAX = 64;

interface Pending {
  readonly parts: Uint8Array[];
  length: number;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: StarfishError) => void;
}

interface Options {
  readonly signal?: AbortSignal;
}

/** The limit of all common file systems; some count in UTF-16. */
const NAME_BYTES_MAX = 255;
/** What Windows does not take as a plain name: parts of paths, devices, and endings that it cuts off. */
const WINDOWS_TROUBLE = /[<>:"\\|?*\p{Cc}]|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|[. ]$/iu;

export class RemoteHost implements Host {
  /** Both ends of the control socket are on the same machine, and so on the same system. */
  readonly hasBackslashPaths: boolean = process.platform === "win32";
  /** Programs run in the node. */
  readonly programs: ProgramPlatform = nodeProgramPlatform;
  readonly #frames: FrameSocket;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;

  constructor(frames: FrameSocket) {
    this.#frames = frames;
  }

  async readFile(path: string, options: Options): Promise<Uint8Array> {
    return await this.#request(KIND.readFile, { path }, options);
  }

  async writeFile(path: string, bytes: Bytes, options: { signal: AbortSignal }): Promise<void> {
    const writer = await this.createFile(path, options);
    try {
      await writer.write(bytes);
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async openFile(path: string, options: Options): Promise<HostFile> {
    const { file, answer } = await this.#open(KIND.openFile, path, options);
    const facts = decode(fileFacts, answer);
    return {
      ...facts,
      isChanged: async () => {
        const now = decode(fileFacts, await this.#request(KIND.fileFacts, { file }, options));
        return now.sizeBytes !== facts.sizeBytes || now.modifiedAtMs !== facts.modifiedAtMs;
      },
      read: (at, length) => this.#request(KIND.readAt, { file, at, length }, options),
      close: () => this.#letGo(file),
    };
  }

  async createFile(path: string, options: Options): Promise<HostWriter> {
    const { file } = await this.#open(KIND.createFile, path, options);
    return {
      write: async (bytes) => {
        for (let at = 0; at < bytes.length; at += WRITE_BYTES_MAX) {
          const piece = bytes.subarray(at, at + WRITE_BYTES_MAX);
          const id = this.#newId();
          await this.#ask(id, this.#frames.send(KIND.write, writeBody(id, file, piece)), options);
        }
      },
      finish: async () => void (await this.#request(KIND.finish, { file }, options)),
      abort: () => this.#letGo(file),
    };
  }

  async listDirectory(path: string, options: Options): Promise<readonly HostEntry[]> {
    return decode(directoryFacts, await this.#request(KIND.listDirectory, { path }, options));
  }

  async makeDirectory(path: string, options: Options): Promise<void> {
    await this.#request(KIND.makeDirectory, { path }, options);
  }

  nameTrouble(name: string): string | undefined {
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `it has more than ${NAME_BYTES_MAX} bytes`;
    if (this.hasBackslashPaths && WINDOWS_TROUBLE.test(name)) return "Windows takes it for something else";
    return undefined;
  }

  /** A frame from the client that belongs to an answer. If nobody waits for that answer any more, it is dropped. */
  receive(frame: Frame): void {
    if (frame.kind === KIND.fileData) {
      const { id, bytes } = readPiece(frame);
      const pending = this.#pending.get(id);
      if (pending === undefined) return;
      pending.length += bytes.length;
      if (pending.length > FILE_BYTES_MAX) return pending.reject(tooLarge());
      own(frame.body);
      pending.parts.push(bytes);
      return;
    }
    const { id, error } = read(schemas.end, frame);
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (error !== undefined) pending.reject(new StarfishError(error.code, error.message));
    else pending.resolve(concat(pending.parts));
    // Files of any size pass through here, and what is left of a gigabyte would be most of what this process has.
    for (const part of pending.parts.splice(0)) release(part);
  }

  /** The client has gone. */
  close(): void {
    for (const pending of this.#pending.values()) pending.reject(new StarfishError("closed", "The terminal has gone"));
  }

  /** The file that is open at the client under the number `file`. A failure leaves none open. */
  async #open(kind: number, path: string, options: Options): Promise<{ file: number; answer: Uint8Array }> {
    const file = this.#nextId;
    try {
      return { file, answer: await this.#request(kind, { path }, options) };
    } catch (error) {
      await this.#letGo(file);
      throw error;
    }
  }

  async #request(kind: number, what: object, options: Options): Promise<Uint8Array> {
    if ("path" in what && String(what.path).length > PATH_CHARS_MAX) {
      throw new StarfishError("too-large", `A path of your machine has at most ${PATH_CHARS_MAX} characters`);
    }
    const id = this.#newId();
    return await this.#ask(id, this.#frames.sendMessage(kind, { id, ...what }), options);
  }

  #newId(): number {
    if (this.#pending.size < REQUESTS_MAX) return this.#nextId++;
    throw new StarfishError("busy", "Too many files at once", { retryable: true });
  }

  /** The answer to a request that is being sent. */
  async #ask(id: number, sent: Promise<void>, { signal }: Options): Promise<Uint8Array> {
    const answered = new Promise<Uint8Array>((resolve, reject) => {
      this.#pending.set(id, { parts: [], length: 0, resolve, reject });
    });
    const answer = signal === undefined ? answered : abortable(signal, answered);
    const done = answer.finally(() => this.#pending.delete(id));
    // The caller sees the failure; if sending fails first, nobody else does.
    done.catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
    await sent;
    return await done;
  }

  /** Always, also after the signal has aborted, and if the client has gone. */
  async #letGo(file: number): Promise<void> {
    try {
      await this.#request(KIND.close, { file }, {});
    } catch (error) {
      if (!isStarfishError(error)) throw error;
    }
  }
}

function tooLarge(): StarfishError {
  return new StarfishError("too-large", `The file is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
}
