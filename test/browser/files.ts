/** What tests of the file view share: dropping files on it, and reading its rows. */
import { createHash } from "node:crypto";
import { pattern } from "../fixtures/content.ts";
import type { Tab } from "./tabs.ts";

export interface Dropped {
  readonly name: string;
  readonly sizeBytes: number;
  /** The seed of its bytes, for `pattern` of test/fixtures/content.ts. */
  readonly seed: number;
}

/** Drops these files there, as if a person had dragged them from their desktop. */
export async function drop(tab: Tab, files: readonly Dropped[], on: string = "#files-list"): Promise<void> {
  await tab.page.evaluate(`{
    const pattern = ${String(pattern)};
    const data = new DataTransfer();
    for (const { name, sizeBytes, seed } of ${JSON.stringify(files)}) data.items.add(new File([pattern(sizeBytes, seed)], name));
    const at = document.querySelector(${JSON.stringify(on)});
    for (const type of ["dragover", "drop"])
      at.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }`);
}

/**
 * The same with paths of this machine, as the browser itself hands them to the page, so that directories are
 * directories there.
 */
export async function dropFromHost(tab: Tab, files: string[]): Promise<void> {
  const session = await tab.page.context().newCDPSession(tab.page);
  const { x, y } = (await tab.page.locator("#files-list").boundingBox()) ?? { x: 0, y: 0 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    const data = { items: [], files, dragOperationsMask: 1 };
    await session.send("Input.dispatchDragEvent", { type, x: x + 20, y: y + 20, data });
  }
  await session.detach();
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The rows of the directory that is shown, cell by cell: name, who and when, size, safety. */
export async function rowsOf(tab: Tab): Promise<string[][]> {
  return await tab.page.locator("#files-rows tr").evaluateAll((rows) =>
    rows.map((row) => {
      const [heading, size, safety] = row.children;
      return [...(heading?.children ?? []), size, safety].map((cell) => cell?.textContent ?? "");
    }),
  );
}
