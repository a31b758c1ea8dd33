/** The person's machine as a tab reaches it: a file picker for reading, a download for writing. No paths, so names are hints. */
import { cancelled, StarfishError, toStarfishError } from "../../core/base/errors.ts";
import type { Host, HostFile, HostWriter } from "../../core/shell/types.ts";
import type { PageTerminal } from "./terminal.ts";

/** What fits in a tab's memory beside everything else, bytes. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;
/** Bytes of a download that wait in the page's own memory: beyond that they are a Blob, which browsers keep on disk. */
const PART_BYTES = 8 * 1024 * 1024;

export function pageHost(terminal: PageTerminal): Host {
  return {
    readFile: (path, { signal }) => readWhole(path, signal),
    writeFile: (path, bytes) => {
      download(path, new Blob([new Uint8Array(bytes)]));
      return Promise.resolve();
    },
    openFile: async (path, { signal }) => {
      const [file] = await pick(`Choose ${path}`, false, signal);
      if (file === undefined) throw new StarfishError("not-found", `No file was chosen for ${path}`);
      return hostFile(file);
    },
    createFile: (path) => Promise.resolve(new Download(path)),
    pickFiles: async ({ signal }) => (await pick("Choose files", true, signal)).map(hostFile),
    clear: () => terminal.clear(),
  };
}

export function hostFile(file: File): HostFile {
  return {
    name: file.name,
    sizeBytes: file.size,
    modifiedAtMs: file.lastModified,
    async read(at, length) {
      try {
        return new Uint8Array(await file.slice(at, at + length).arrayBuffer());
      } catch (error) {
        // It was changed or removed since it was chosen.
        throw toStarfishError(error, "io");
      }
    },
    close: () => Promise.resolve(),
  };
}

/** A file that the browser offers to save once it is finished. */
export class Download implements HostWriter {
  readonly #path: string;
  #parts: Blob[] = [];
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(Uint8Array.from(bytes));
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= PART_BYTES) this.#gather();
  }

  async finish(): Promise<void> {
    this.#gather();
    download(this.#path, new Blob(this.#parts));
    await this.abort();
  }

  async abort(): Promise<void> {
    this.#parts = [];
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #gather(): void {
    this.#parts.push(new Blob(this.#waiting));
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

async function readWhole(path: string, signal: AbortSignal): Promise<Uint8Array> {
  const [file] = await pick(`Choose ${path}`, false, signal);
  if (file === undefined) throw new StarfishError("not-found", `No file was chosen for ${path}`);
  if (file.size > FILE_BYTES_MAX) {
    throw new StarfishError(
      "too-large",
      `${file.name} is larger than a tab can hold (512 MB). Use 'starfish sh' for it`,
    );
  }
  return new Uint8Array(await file.arrayBuffer());
}

/**
 * Browsers open a file picker only shortly after a key or click. A command typed at the prompt is recent enough; one that
 * comes later is told so, by the picker's refusal to open.
 */
export async function pick(label: string, isMultiple: boolean, signal: AbortSignal): Promise<readonly File[]> {
  if (navigator.userActivation !== undefined && !navigator.userActivation.isActive) {
    throw new StarfishError(
      "unsupported",
      "The browser lets a page ask for a file only right after a key or click. Run the command again",
    );
  }
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = isMultiple;
  input.setAttribute("aria-label", label);
  return await new Promise<readonly File[]>((resolve, reject) => {
    const none = (): void => reject(new StarfishError("not-found", "No file was chosen"));
    signal.addEventListener("abort", () => reject(cancelled(signal)), { once: true });
    input.addEventListener("change", () => {
      const chosen = [...(input.files ?? [])];
      if (chosen.length === 0) none();
      else resolve(chosen);
    });
    input.addEventListener("cancel", none);
    input.click();
  });
}

function download(path: string, content: Blob): void {
  const link = document.createElement("a");
  link.download = path.slice(path.lastIndexOf("/") + 1) || "starfish";
  link.href = URL.createObjectURL(content);
  link.click();
  // The download has its own hold on the blob once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
