/**
 * Files that go to the person's machine: a link to a Blob, which the browser offers to save. A Blob of any size is
 * collected in a thread of its own (download-worker.ts). Making one waits until its bytes are copied and the browser's
 * own process has answered, and on a busy machine that is longer than a page may halt.
 */
import { StarfishError } from "../../core/base/errors.ts";
import type { HostWriter } from "../../core/shell/types.ts";
import type { Gathered, Gathering } from "../download-worker.ts";

/** Bytes that are passed to the Blob at once. */
const PART_BYTES = 8 * 1024 * 1024;

/** A file that the browser offers to save once it is finished. */
export class Download implements HostWriter {
  readonly #path: string;
  #worker: Worker | undefined;
  /**
   * The buffer goes to the thread and comes back. A new one for each part would be as much garbage as the file is long.
   */
  #buffer = new ArrayBuffer(PART_BYTES);
  #filled = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with "unreachable" if the thread's program can't be loaded, and with "io" if it fails. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + PART_BYTES - this.#filled);
      new Uint8Array(this.#buffer).set(part, this.#filled);
      at += part.length;
      this.#filled += part.length;
      if (this.#filled === PART_BYTES) await this.#gather(false);
    }
  }

  /** Rejects as `write` does. */
  async finish(): Promise<void> {
    const whole = await this.#gather(true);
    await this.abort();
    if (whole !== undefined) offer(this.#path, whole);
  }

  async abort(): Promise<void> {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Appends the filled part of the buffer; returns the whole Blob after the last part. */
  async #gather(isLast: boolean): Promise<Blob | undefined> {
    const worker = (this.#worker ??= startWorker());
    const gathering: Gathering = { bytes: new Uint8Array(this.#buffer, 0, this.#filled), isLast };
    const { buffer, whole } = await answerOf(worker, () => worker.postMessage(gathering, [this.#buffer]));
    this.#buffer = buffer;
    this.#filled = 0;
    return whole;
  }
}

function answerOf(worker: Worker, ask: () => void): Promise<Gathered> {
  const answered = new AbortController();
  const { signal } = answered;
  return new Promise<Gathered>((resolve, reject) => {
    worker.addEventListener("message", ({ data }: MessageEvent<Gathered>) => resolve(data), { signal });
    const fail = (event: ErrorEvent): void => {
      event.preventDefault();
      reject(failure(event.message));
    };
    worker.addEventListener("error", fail, { signal });
    ask();
  }).finally(() => answered.abort());
}

/** Downloads have names, but no paths. */
export function downloadName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || "starfish";
}

/** Makes the browser save it, or ask where to. */
export function offer(path: string, content: Blob): void {
  const link = document.createElement("a");
  link.download = downloadName(path);
  link.href = URL.createObjectURL(content);
  link.click();
  // Once the download has begun, it holds the blob itself.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function startWorker(): Worker {
  // In one expression, so that the bundler finds the worker's file.
  return new Worker(new URL("../download-worker.ts", import.meta.url), { type: "module", name: "starfish-download" });
}

/** A program that could not be loaded gives no message. */
function failure(message: string | undefined): StarfishError {
  return message === undefined
    ? new StarfishError("unreachable", "The program for downloads could not be loaded", { retryable: true })
    : new StarfishError("io", `The download failed: ${message}`);
}
