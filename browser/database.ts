/** IndexedDB databases of one object store, and the errors of the browser's storage in words. */
import { messageOf, StarfishError } from "../core/base/errors.ts";

/**
 * Opens the database of that name, which is made if need be. Rejects with "unsupported" if the browser has no storage
 * for pages.
 *
 * @param onLost called when the person, or the browser, deletes it while it is open
 */
export function openDatabase(name: string, objectStore: string, onLost?: () => void): Promise<IDBDatabase> {
  if (typeof indexedDB === "undefined") {
    throw new StarfishError("unsupported", "This browser keeps nothing for pages (IndexedDB is switched off)");
  }
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(objectStore));
    request.addEventListener("success", () => {
      const database = request.result;
      // Somebody deletes the database: close it, or they would wait for ever.
      database.addEventListener("versionchange", () => {
        database.close();
        onLost?.();
      });
      // The browser has closed it: "Clear site data", or the disk is gone.
      database.addEventListener("close", () => onLost?.());
      resolve(database);
    });
    request.addEventListener("error", () => reject(request.error ?? new Error("The database could not be opened")));
  });
}

/** What people can do about an error, by the name of the browser's exception. */
const REMEDIES: Readonly<Record<string, string>> = {
  QuotaExceededError: "The browser's storage is full: free some space on this device.",
  InvalidStateError: "The browser has closed this page's storage: reload the page.",
  NotFoundError: "This page's storage was deleted: reload the page.",
  SecurityError: "The browser's settings forbid this page to store anything: allow it site data.",
  VersionError: "This page's storage was written by a newer version: reload the page.",
};

/** Turns errors of the storage into "io", or into `fullCode` if there is no room, with advice. */
export async function guardDatabase<T>(work: () => Promise<T>, fullCode: "io" | "full" = "io"): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StarfishError) throw error;
    const fault = error instanceof DOMException ? error.name : "";
    const remedy = REMEDIES[fault];
    const message = remedy ?? `The browser's storage failed: ${messageOf(error)}`;
    throw new StarfishError(fault === "QuotaExceededError" ? fullCode : "io", message, { cause: error });
  }
}
