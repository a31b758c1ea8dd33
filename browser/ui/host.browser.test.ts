/**
 * The tab's host: everything written becomes one download, however large it is, and a file picker opens only for a
 * person.
 */
import { afterEach, expect, test, vi } from "vitest";
import { isStarfishError } from "../../core/base/errors.ts";
import { pattern } from "../../test/fixtures/content.ts";
import { pageHost } from "./host.ts";
import type { PageTerminal } from "./terminal.ts";

const { signal } = new AbortController();
const host = pageHost({ clear: () => {} } as PageTerminal);

afterEach(() => vi.restoreAllMocks());

/** Collects what is offered for download, by name, instead of downloading it. */
function downloads(): Map<string, Blob> {
  const offered = new Map<string, Blob>();
  const blobs = new Map<string, Blob>();
  const create = URL.createObjectURL.bind(URL);
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    const url = create(blob);
    blobs.set(url, blob as Blob);
    return url;
  });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    offered.set(this.download, blobs.get(this.href) as Blob);
  });
  return offered;
}

test("what is written in pieces becomes one download when it is whole", async () => {
  const offered = downloads();
  const writer = await host.createFile("folder/large.bin", { signal });
  const bytes = pattern(20_000_000);
  for (let at = 0; at < bytes.length; at += 300_000) await writer.write(bytes.subarray(at, at + 300_000));
  expect(offered.size).toBe(0);
  await writer.finish();
  const blob = offered.get("large.bin");
  expect(blob?.size).toBe(bytes.length);
  const back = new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));
  expect(back.every((byte, i) => byte === bytes[i])).toBe(true);
});

test("what is given up is no download", async () => {
  const offered = downloads();
  const writer = await host.createFile("x", { signal });
  await writer.write(pattern(1_000));
  await writer.abort();
  expect(offered.size).toBe(0);
});

test("a picker that nobody asked for is refused with what to do", async () => {
  const refused = await host.openFile("x", { signal }).catch((error: unknown) => error);
  expect(isStarfishError(refused, "unsupported")).toBe(true);
});
