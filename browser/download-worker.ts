/** The program of a download's thread: it gathers the Blob that the browser offers to save. Its owner's side is ui/download.ts. */

/** Bytes to be appended, and whether they are the last. */
export interface Gathering {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isLast: boolean;
}

export interface Gathered {
  /** The buffer that the bytes came in, to be filled again. */
  readonly buffer: ArrayBuffer;
  /** All that was appended, once that is all. */
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
  // A Blob copies its bytes and gives them to the browser's own process, which keeps them in memory or on disk.
  parts.push(new Blob([bytes]));
  scope.postMessage({ buffer: bytes.buffer, whole: isLast ? new Blob(parts) : undefined }, [bytes.buffer]);
});
