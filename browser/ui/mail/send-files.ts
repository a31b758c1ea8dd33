/** Sends files straight to a node that is awake, with a progress line. Loaded when it is first used. */
import type { Computer } from "../../../core/computer.ts";
import type { SendProgress, TransferEntry, TransferSource } from "../../../core/io/transfer/types.ts";
import type { PeerId } from "../../../core/ports/network.ts";
import { streamOf } from "../../../core/shell/files/host-streams.ts";
import { count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import type { Incoming } from "../files/incoming.ts";
import { Transfer } from "../files/transfers.ts";
import { hostFile } from "../host.ts";
import { WAITS } from "./words.ts";

export interface Sending {
  readonly peer: PeerId;
  /** The name of that node. */
  readonly name: string;
  readonly incoming: Promise<Incoming>;
  /** The list for the progress line. */
  readonly list: HTMLUListElement;
  readonly say: (words: string) => void;
}

/** Resolves when it is over, however it ended; the line and `say` have told the person. */
export async function sendFiles(computer: Computer, { peer, name, incoming, list, say }: Sending): Promise<void> {
  const to = oneLine(name);
  const transfer = new Transfer(`Looking through what is for ${to}`, list);
  await transfer.run(async () => {
    const all = await incoming;
    const what = whatOf(all);
    if (what === undefined) return say("There were no files in it.");
    const title = `Sending ${what} to ${to}`;
    transfer.begin(title, 0);
    let state: SendProgress["state"] | undefined;
    await computer.transfer.send(peer, sourceOf(all), {
      signal: transfer.signal,
      onProgress: (progress) => {
        if (progress.state !== state) {
          state = progress.state;
          transfer.begin(title, progress.totalBytes ?? 0);
          transfer.note(waitWords(progress));
        }
        transfer.at(progress.doneBytes, progress.resumedBytes);
      },
    });
    say(`${to} has ${what}.`);
  });
}

function waitWords({ state, hasPerson }: SendProgress): string | undefined {
  return state === "waiting" && !hasPerson ? "nobody is at the screen there to take it…" : WAITS[state];
}

function whatOf({ files, directories }: Incoming): string | undefined {
  const [first] = files;
  if (first === undefined)
    return directories.length === 0 ? undefined : count(directories.length, "directory", "directories");
  return files.length === 1 ? oneLine(first.path.slice(first.path.lastIndexOf("/") + 1)) : count(files.length, "file");
}

/** Paths in the form in which they are dropped, without the slash before them. */
function sourceOf({ files, directories }: Incoming): TransferSource {
  const folders = directories.map((path): TransferEntry => ({
    kind: "folder",
    path: path.slice(1),
    sizeBytes: 0,
    modifiedMs: 0,
  }));
  const entries = files.map(({ path, file }): TransferEntry => ({
    kind: "file",
    path: path.slice(1),
    sizeBytes: file.size,
    modifiedMs: file.lastModified,
  }));
  return {
    entries: [...folders, ...entries],
    read(index, { signal }) {
      const file = files[index - folders.length]?.file;
      if (file === undefined) throw new RangeError(`There is no file ${index}`);
      return streamOf(hostFile(file), signal);
    },
  };
}
