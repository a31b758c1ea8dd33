/** The disk of the person at the other end of the control socket, as a shell's host: files by path in their directory. */
import { concat, type Bytes } from "../core/base/bytes.ts";
import { isStarfishError, StarfishError } from "../core/base/errors.ts";
import { abortable } from "../core/ports/clock.ts";
import type { Host } from "../core/shell/types.ts";
import { FILE_BYTES_MAX, KIND, read, readPiece, schemas, type Frame, type FrameSocket } from "./frames.ts";

/** Files on their way at once: one for each stage of a long pipe. */
const TRANSFERS_MAX = 32;

interface Transfer {
  readonly parts: Uint8Array[];
  length: number;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: StarfishError) => void;
}

export class RemoteHost implements Host {
  readonly #frames: FrameSocket;
  readonly #transfers = new Map<number, Transfer>();
  #nextId = 0;

  constructor(frames: FrameSocket) {
    this.#frames = frames;
  }

  async readFile(path: string, { signal }: { signal: AbortSignal }): Promise<Uint8Array> {
    const { id, done } = this.#begin(signal);
    await this.#frames.sendMessage(KIND.readFile, { id, path });
    return await done;
  }

  async writeFile(path: string, bytes: Bytes, { signal }: { signal: AbortSignal }): Promise<void> {
    if (bytes.length > FILE_BYTES_MAX) throw tooLarge();
    const { id, done } = this.#begin(signal);
    await this.#frames.sendMessage(KIND.writeFile, { id, path });
    await this.#frames.sendFile(KIND.writeData, id, bytes);
    await this.#frames.sendMessage(KIND.writeEnd, { id });
    await done;
  }

  /** A frame from the client that belongs to a transfer. What belongs to none has been given up. */
  receive(frame: Frame): void {
    if (frame.kind === KIND.fileData) {
      const { id, bytes } = readPiece(frame);
      const transfer = this.#transfers.get(id);
      if (transfer === undefined) return;
      transfer.length += bytes.length;
      if (transfer.length > FILE_BYTES_MAX) return transfer.reject(tooLarge());
      transfer.parts.push(bytes);
      return;
    }
    const { id, error } = read(schemas.end, frame);
    const transfer = this.#transfers.get(id);
    if (error !== undefined) transfer?.reject(new StarfishError(error.code, error.message));
    else transfer?.resolve(concat(transfer.parts));
  }

  /** The client has gone. */
  close(): void {
    for (const transfer of this.#transfers.values())
      transfer.reject(new StarfishError("closed", "The terminal has gone"));
  }

  #begin(signal: AbortSignal): { id: number; done: Promise<Uint8Array> } {
    if (this.#transfers.size >= TRANSFERS_MAX)
      throw new StarfishError("busy", "Too many files at once", { retryable: true });
    const id = this.#nextId++;
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      this.#transfers.set(id, { parts: [], length: 0, resolve, reject });
    });
    const done = abortable(signal, answer).finally(() => this.#transfers.delete(id));
    // Whoever waits sees the failure; if sending fails first, nobody does.
    done.catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
    return { id, done };
  }
}

function tooLarge(): StarfishError {
  return new StarfishError("too-large", `The file is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
}
