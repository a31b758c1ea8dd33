/**
 * The page for somebody who comes with a code and is no member: finds out what the code is for, offers it as a
 * download, and shows the progress and the outcome. No node is started for it.
 */
import { messageOf, StarfishError } from "../../core/base/errors.ts";
import { type Consume } from "../../core/io/codes/contents-sink.ts";
import { fetchByCode, type Found } from "../../core/io/codes/fetching.ts";
import { SIGN_MS } from "../../core/io/codes/limits.ts";
import type { FetchedEntry, FetchOffer } from "../../core/io/codes/types.ts";
import { codeSocketUrl, parseCode } from "../../core/io/codes/words.ts";
import type { FileEntry, FolderEntry } from "../../core/disk/content/tree-entry.ts";
import { realClock } from "../../core/platform/clock.ts";
import { realCrypto } from "../../core/platform/crypto.ts";
import { realRandom } from "../../core/platform/random.ts";
import { openSocketChannel } from "../../core/platform/socket-channel.ts";
import type { Channel } from "../../core/ports/network.ts";
import { oneLine } from "../../core/shell/harmless.ts";
import { offerWords } from "../../core/shell/transfer/notices.ts";
import { browserCoder } from "../coder.ts";
import { protection } from "../protection.ts";
import { byId } from "./dom.ts";
import { Download, downloadName } from "./download.ts";
import { Transfer } from "./files/transfers.ts";
import { button, make } from "./make.ts";
import { type Notice, showNotice } from "./notice.ts";

/** This page, from the node that accepts strangers. */
const base = (): string => `${location.origin}${location.pathname}`;

/** `text` is a code, or a link with one. Never rejects. */
export async function showFetch(text: string): Promise<void> {
  tell({ title: "Looking for what this code is for…", words: ["This tab joins nothing for it."] });
  const gone = new AbortController();
  addEventListener("pagehide", () => gone.abort(), { once: true });
  try {
    const code = parseCode(text);
    const parts = { clock: realClock, crypto: realCrypto, random: realRandom, coder: browserCoder(), connect };
    showFound(await fetchByCode(code, parts, gone.signal));
  } catch (error) {
    showFailure("This code leads to nothing", messageOf(error), text);
  }
}

async function connect(signal: AbortSignal): Promise<Channel> {
  const socket = new WebSocket(codeSocketUrl(base()));
  socket.binaryType = "arraybuffer";
  return await openSocketChannel(socket, location.host, { clock: realClock, signMs: SIGN_MS, signal });
}

function showFound(found: Found): void {
  const { offer } = found;
  tell({
    title: `There is something for you: ${oneLine(offer.title)}`,
    words: [
      `${sentence(offerWords(offer))}. It can be fetched once.`,
      protection() === "none"
        ? "Take it only if you know who gave you the code. This page came by plain http: whoever runs the network in between could have changed it, and read along."
        : "Whoever gave you the code sends it, straight to this tab; nobody in between can read it. Take it only if you know who that is.",
    ],
  });
  const buttons = make(
    "div",
    { class: "buttons" },
    button("Download", () => void download(found), { class: "accent", id: "fetch-take" }),
    button("No, thank you", () => {
      found.refuse();
      tell({ title: "Nothing was fetched", words: ["The sender is told that you do not want it."] });
    }),
  );
  box().append(buttons);
  buttons.querySelector("button")?.focus();
}

async function download(found: Found): Promise<void> {
  const { offer } = found;
  const name = savedName(offer);
  tell({ title: `Fetching ${oneLine(offer.title)}`, words: ["Keep this tab open until it is there."] });
  const list = make("ul", { class: "transfers", id: "fetching", "aria-label": "Being fetched" });
  box().append(list);
  const transfer = new Transfer(name, list);
  transfer.begin(name, offer.totalBytes ?? 0);
  try {
    await found.take(saveAs(name, offer), {
      signal: transfer.signal,
      onProgress: ({ doneBytes, isLinked }) => {
        transfer.at(doneBytes, 0);
        transfer.note(isLinked ? undefined : "The link broke; looking for it again…");
      },
    });
    tell({
      title: `${name} is among your downloads`,
      words: ["All of it came, as it was sent. The code is no longer valid, and this tab has joined nothing."],
    });
  } catch (error) {
    showFailure("It was not fetched", messageOf(error), undefined);
  }
}

/** A single file under its own name, anything else as a zip. */
function saveAs(name: string, offer: FetchOffer): Consume {
  return async (entries) => {
    const target = new Download(name);
    try {
      for await (const bytes of isOneFile(offer) ? onlyFile(entries) : zipOf(entries)) await target.write(bytes);
      await target.finish();
    } catch (error) {
      await target.abort();
      throw error;
    }
  };
}

async function* onlyFile(entries: AsyncIterable<FetchedEntry>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const entry of entries) if (entry.kind === "file") yield* entry.content;
}

async function* zipOf(entries: AsyncIterable<FetchedEntry>): AsyncGenerator<Uint8Array, void, undefined> {
  const { writeZip } = await import("../../core/disk/content/zip-write.ts");
  async function* sized(): AsyncGenerator<FileEntry | FolderEntry, void, undefined> {
    for await (const entry of entries) {
      if (entry.kind === "folder") yield entry;
      else if (entry.sizeBytes !== undefined) yield { ...entry, sizeBytes: entry.sizeBytes };
      else throw new StarfishError("malformed", "A pipe among files");
    }
  }
  yield* writeZip(sized());
}

function isOneFile({ files, folders }: FetchOffer): boolean {
  return files === 1 && folders === 0;
}

function savedName(offer: FetchOffer): string {
  const name = downloadName(oneLine(offer.title));
  return isOneFile(offer) ? name : `${name}.zip`;
}

/** Offers another try if words may have been mistyped. */
function showFailure(title: string, why: string, text: string | undefined): void {
  tell({ title, words: [sentence(why).replace(/([^.!?])$/, "$1.")] });
  if (text === undefined) return;
  const form = make("form", { id: "door" });
  const input = make("input", { id: "door-code", autocomplete: "off", spellcheck: "false" });
  input.value = text.replace(/^.*code=/s, "");
  const again = make("button", { type: "submit", class: "accent" }, "Try again");
  form.append(make("label", { for: "door-code" }, "The code"), input, again);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void showFetch(input.value);
  });
  box().append(form);
}

function tell(notice: Notice): void {
  showNotice(notice);
  box().classList.add("welcome");
}

function box(): HTMLElement {
  return byId("notice", HTMLElement);
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
