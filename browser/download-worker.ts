/**
 * The program of a download's thread: it collects the Blob that the browser offers to save. ui/download.ts is the other
 * side.
 */

/** Bytes to append, and whether they are the last. */
export interface Gathering {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isLast: boolean;
}

export interface Gathered {
  /** The buffer of the bytes, given back to be filled again. */
  readonly buffer: ArrayBuffer;
  /** The whole Blob, after the last bytes. */
  readonly whole: Blob | undefined;
}

/** The part of DedicatedWorkerGlobalScope that is used; the DOM's types describe a window here. */
interface WorkerScope {
  postMessage(answer: Gathered, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Gathering>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const parts: Blob[] = [];

scope.addEventListener("message", ({ data: { bytes, isLast } }) => {
  // A Blob copies its bytes to the browser's own process, which keeps them in memory or on disk.
  parts.push(new Blob([bytes]));
  scope.postMessage({ buffer: bytes.buffer, whole: isLast ? new Blob(parts) : undefined }, [bytes.buffer]);
});
