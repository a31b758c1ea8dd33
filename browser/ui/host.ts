/** The person's machine as a tab reaches it: a file picker for reading, a download for writing. No paths, so names are hints. */
import { cancelled, StarfishError } from "../../core/base/errors.ts";
import type { Host } from "../../core/shell/types.ts";
import type { PageTerminal } from "./terminal.ts";

/** What fits in a tab's memory beside everything else, bytes. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;

export function pageHost(terminal: PageTerminal): Host {
  return {
    readFile: (path, { signal }) => pick(path, signal),
    writeFile: (path, bytes) => {
      download(path, bytes);
      return Promise.resolve();
    },
    clear: () => terminal.clear(),
  };
}

/**
 * Browsers open a file picker only shortly after a key or click. A command typed at the prompt is recent enough; one that
 * comes later is told so, by the picker's refusal to open.
 */
async function pick(path: string, signal: AbortSignal): Promise<Uint8Array> {
  if (navigator.userActivation !== undefined && !navigator.userActivation.isActive) {
    throw new StarfishError(
      "unsupported",
      "The browser lets a page ask for a file only right after a key or click. Run the command again",
    );
  }
  const input = document.createElement("input");
  input.type = "file";
  input.setAttribute("aria-label", `Choose ${path}`);
  const file = await new Promise<File>((resolve, reject) => {
    const stop = (): void => reject(cancelled(signal));
    signal.addEventListener("abort", stop, { once: true });
    input.addEventListener("change", () => {
      const chosen = input.files?.[0];
      if (chosen === undefined) reject(new StarfishError("not-found", "No file was chosen"));
      else resolve(chosen);
    });
    input.addEventListener("cancel", () => reject(new StarfishError("not-found", `No file was chosen for ${path}`)));
    input.click();
  });
  if (file.size > FILE_BYTES_MAX) {
    throw new StarfishError(
      "too-large",
      `${file.name} is larger than a tab can hold (512 MB). Use 'starfish sh' for it`,
    );
  }
  return new Uint8Array(await file.arrayBuffer());
}

function download(path: string, bytes: Uint8Array): void {
  const link = document.createElement("a");
  link.download = path.slice(path.lastIndexOf("/") + 1) || "starfish";
  link.href = URL.createObjectURL(new Blob([new Uint8Array(bytes)]));
  link.click();
  // The download has its own hold on the blob once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
