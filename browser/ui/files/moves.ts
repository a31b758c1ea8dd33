/**
 * Files that come in and go out: from the person's machine into the swarm, until they are safe, and back as downloads.
 */
import { StarfishError, throwIfAborted, toStarfishError } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { ContentStat, FileInfo, PutProgress } from "../../../core/disk/types.ts";
import { abortable } from "../../../core/ports/clock.ts";
import { streamOf } from "../../../core/shell/files/host-streams.ts";
import { leastSafe, safetyWords } from "../../../core/shell/files/words.ts";
import { count } from "../../../core/shell/format.ts";
import { Download } from "../download.ts";
import { hostFile } from "../host.ts";
import type { Incoming } from "./incoming.ts";
import type { Transfer } from "./transfers.ts";
import { nameOf } from "./words.ts";

/** Small files each cost a round trip; large ones share the bandwidth. */
const FILES_AT_ONCE = 6;
/** How many of the files are asked about their safety. */
const ASKED_MAX = 20;

interface Brought {
  readonly info: FileInfo;
  readonly safe: Promise<void>;
}

/** Brings all files in, and waits until they are safe. Resolves to a message. Rejects as Files.write does. */
export async function bringIn(computer: Computer, incoming: Incoming, transfer: Transfer): Promise<string> {
  const { files, directories } = incoming;
  for (const path of directories) computer.files.makeDirectory(path, { parents: true });
  const totalBytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const what = files.length === 1 ? nameOf({ path: files[0]?.path ?? "" }) : count(files.length, "file");
  transfer.begin(`Adding ${what}`, totalBytes);
  const placing = new Placing();
  const brought: Brought[] = [];
  try {
    await bringAll(computer, files, transfer, placing, brought);
  } catch (error) {
    if (!transfer.signal.aborted || brought.length === 0) throw error;
    return `Cancelled: ${brought.length} of ${files.length} files were added.`;
  }
  transfer.begin(`Making ${what} safe`, totalBytes);
  placing.showIn(transfer);
  try {
    for (const { safe } of brought) await abortable(transfer.signal, safe);
  } catch (error) {
    if (transfer.signal.aborted) return `Added ${what}. The list shows when it is safe.`;
    const { code, message } = toStarfishError(error, "io");
    throw new StarfishError(code, `${what} is there, but not safe yet: ${message}`, { cause: error });
  }
  const stats: ContentStat[] = [];
  for (const { info } of brought.slice(0, ASKED_MAX)) stats.push(await computer.files.statContent(info.path));
  const worst = leastSafe(stats);
  return `Added ${what}${worst === undefined ? "" : `, ${safetyWords(worst)}`}.`;
}

/** Several files at once, in their order, into `brought`. The first failure ends all. */
async function bringAll(
  computer: Computer,
  files: Incoming["files"],
  transfer: Transfer,
  placing: Placing,
  brought: Brought[],
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([transfer.signal, failed.signal]);
  const waiting = files.values();
  const bring = async (): Promise<void> => {
    // Several loops take from the same iterator.
    for (const { path, file } of waiting) {
      throwIfAborted(signal);
      const stream = transfer.through(streamOf(hostFile(file), signal));
      brought.push(await computer.files.write(path, stream, { signal, onProgress: placing.of(path) }));
    }
  };
  const stopping = (error: unknown): never => {
    failed.abort(error);
    throw error;
  };
  await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, () => bring().catch(stopping)));
  failed.signal.throwIfAborted();
}

/** How much of the stored bytes is placed as promised. */
class Placing {
  readonly #safeBytes = new Map<string, number>();
  #transfer: Transfer | undefined;

  of(path: string): (progress: PutProgress) => void {
    return ({ safeBytes }) => {
      this.#transfer?.add(safeBytes - (this.#safeBytes.get(path) ?? 0));
      this.#safeBytes.set(path, safeBytes);
    };
  }

  showIn(transfer: Transfer): void {
    for (const bytes of this.#safeBytes.values()) transfer.add(bytes);
    this.#transfer = transfer;
  }
}

/** Offers the browser the file to save. Rejects as Files.read does. */
export async function takeOut(computer: Computer, info: FileInfo, transfer: Transfer): Promise<void> {
  transfer.begin(`Fetching ${nameOf(info)}`, info.sizeBytes);
  await download(info.path, computer.files.read(info.path, { signal: transfer.signal }), transfer);
}

/** The same for anything that can be read. Rejects as `source` does. */
export async function download(path: string, source: AsyncIterable<Uint8Array>, transfer: Transfer): Promise<void> {
  const target = new Download(path);
  try {
    for await (const chunk of transfer.through(source)) await target.write(chunk);
    await target.finish();
  } catch (error) {
    await target.abort();
    throw error;
  }
}
