/**
 * The person's machine as a tab reaches it: a file picker for reading, a download for writing. There are no paths, so
 * names are only suggestions.
 */
import { cancelled, StarfishError, toStarfishError } from "../../core/base/errors.ts";
import type { Host, HostFile } from "../../core/shell/types.ts";
import { tabProgramPlatform } from "../program-platform.ts";
import { Download, downloadName, offer } from "./download.ts";
import type { PageTerminal } from "./terminal.ts";

/** What fits in a tab's memory beside everything else, in bytes. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;

export function pageHost(terminal: PageTerminal): Host {
  return {
    readFile: (path, { signal }) => readWhole(path, signal),
    writeFile: (path, bytes) => {
      offer(path, new Blob([new Uint8Array(bytes)]));
      return Promise.resolve();
    },
    savedAs: (path) => `${downloadName(path)}, among your downloads`,
    openFile: async (path, { signal }) => {
      const [file] = await pick(`Choose ${path}`, false, signal);
      if (file === undefined) throw new StarfishError("not-found", `No file was chosen for ${path}`);
      return hostFile(file);
    },
    createFile: (path) => Promise.resolve(new Download(path)),
    pickFiles: async ({ signal }) => (await pick("Choose files", true, signal)).map(hostFile),
    shrinkPicture: async (bytes) => (await import("./shrink-picture.ts")).shrinkPicture(bytes),
    clear: () => terminal.clear(),
    programs: tabProgramPlatform,
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
        // The file was changed or removed since it was chosen.
        throw toStarfishError(error, "io");
      }
    },
    close: () => Promise.resolve(),
  };
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
 * Browsers open a file picker only shortly after a key or click. A command typed at the prompt is recent enough; a
 * later one gets the error that the picker did not open.
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
