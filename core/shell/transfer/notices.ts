/** What a terminal says about transfers by itself: who wants to send something, and what has arrived. */
import type { Unsubscribe } from "../../base/events.ts";
import type { Computer } from "../../computer.ts";
import type { Offer, TransferInfo } from "../../io/transfer/types.ts";
import { bytesWords, count } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { cut } from "../width.ts";
import { shortId } from "../who.ts";

const CELLS_MAX = 60;
const NAMES_MAX = 3;

export function followTransfers({ transfer }: Pick<Computer, "transfer">, print: (text: string) => void): Unsubscribe {
  const known = new Set(transfer.inbox.items().map(({ id }) => id));
  const stopAsking = transfer.onOffer((offer) => print(questionWords(offer)));
  const stopLooking = transfer.onChange(() => {
    for (const item of transfer.inbox.items()) {
      if (known.has(item.id)) continue;
      known.add(item.id);
      print(arrivalWords(item));
    }
  });
  for (const offer of transfer.offers()) print(questionWords(offer));
  return () => {
    stopAsking();
    stopLooking();
  };
}

/** "3 files, 12 MB: a.txt (3 kB), b.txt (9 kB), …" */
export function offerWords({
  files,
  folders,
  totalBytes,
  names,
  title,
}: Pick<Offer, "files" | "folders" | "totalBytes" | "names" | "title">): string {
  if (totalBytes === undefined) return "a pipe";
  const what = [
    ...(files > 0 || folders === 0 ? [count(files, "file")] : []),
    ...(folders > 0 ? [count(folders, "folder")] : []),
  ];
  const told = names.slice(0, NAMES_MAX).map(({ path, sizeBytes }) => `${path} (${bytesWords(sizeBytes ?? 0)})`);
  const more = files > told.length && told.length > 0 ? ", …" : "";
  return `${what.join(" and ")}, ${bytesWords(totalBytes)}: ${told.length === 0 ? title : told.join(", ")}${more}`;
}

function questionWords(offer: Offer): string {
  const id = shortId(offer.from);
  const what = cut(oneLine(offerWords(offer)), 2 * CELLS_MAX);
  const room = offer.fits ? "" : " There is no room for it in /inbox.";
  const takes = offer.totalBytes === undefined ? `'receive --from ${id}' reads it` : `'receive --from ${id}' takes it`;
  return `⇣ ${cut(oneLine(offer.name), CELLS_MAX)} (${id}) wants to send you ${what}.${room}\n${takes}, 'receive --allow ${id}' all files that this node sends, 'receive --refuse ${id}' none.`;
}

function arrivalWords({ name, title, doneBytes }: TransferInfo): string {
  return `⇣ ${cut(oneLine(title), CELLS_MAX)} (${bytesWords(doneBytes)}) from ${cut(oneLine(name), CELLS_MAX)} is in /inbox.`;
}
