/**
 * `starfish receive LINK [DIR]`: fetches what a code is for, without a node and without becoming a member. The
 * certificate of an https page is not checked, because the code itself proves who the sender is.
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { lstat, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { WebSocket } from "ws";
import { StarfishError } from "../core/base/errors.ts";
import type { Consume } from "../core/io/codes/contents-sink.ts";
import { fetchByCode } from "../core/io/codes/fetching.ts";
import { SIGN_MS } from "../core/io/codes/limits.ts";
import type { FetchedEntry } from "../core/io/codes/types.ts";
import { codeBaseIn, codeSocketUrl, parseCode } from "../core/io/codes/words.ts";
import { realClock } from "../core/platform/clock.ts";
import { realRandom } from "../core/platform/random.ts";
import { openSocketChannel } from "../core/platform/socket-channel.ts";
import { type Channel, MESSAGE_BYTES_MAX } from "../core/ports/network.ts";
import { transferWords } from "../core/shell/files/progress.ts";
import { bytesWords } from "../core/shell/format.ts";
import { harmless, oneLine } from "../core/shell/harmless.ts";
import { offerWords } from "../core/shell/transfer/notices.ts";
import { nodeCoder } from "./coder.ts";
import { nodeCrypto } from "./crypto.ts";
import { EXIT } from "./exit-status.ts";

export interface ReceiveOptions {
  readonly link: string;
  /** "-": standard output, for one file or a pipe. */
  readonly directory: string;
  readonly json: boolean;
}

/** Resolves to the exit status. Rejects with the reason why nothing was fetched. */
export async function receive({ link, directory, json }: ReceiveOptions): Promise<number> {
  const base = codeBaseIn(link);
  if (base === undefined) {
    throw new StarfishError(
      "usage",
      "That is no link with a code: it looks like https://host:4500/#code=7-brisk-otter-meadow",
    );
  }
  const code = parseCode(link);
  const stop = new AbortController();
  const cancel = (): void => stop.abort(new StarfishError("cancelled", "The receiver has cancelled it"));
  process.once("SIGINT", cancel).once("SIGTERM", cancel);
  await using coder = nodeCoder();
  const connect = (signal: AbortSignal): Promise<Channel> => connectTo(base, signal);
  const parts = { clock: realClock, crypto: nodeCrypto, random: realRandom, coder, connect };
  const found = await fetchByCode(code, parts, stop.signal);
  const { offer } = found;
  const began = performance.now();
  let bytes = 0;
  const show = (words: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${words}`);
  };
  if (!json) process.stderr.write(`${harmless(offerWords(offer))}\n`);
  try {
    await found.take(directory === "-" ? toOutput : toDirectory(resolve(directory)), {
      signal: stop.signal,
      onProgress: ({ doneBytes, isLinked }) => {
        bytes = doneBytes;
        show(isLinked ? transferWords(doneBytes, offer.totalBytes, performance.now() - began) : "looking for the link");
      },
    });
  } finally {
    show("");
  }
  const told = { title: offer.title, files: offer.files, bytes, ms: Math.round(performance.now() - began) };
  const out = directory === "-" ? process.stderr : process.stdout;
  out.write(
    json
      ? `${JSON.stringify(told)}\n`
      : `${oneLine(offer.title)}, ${bytesWords(bytes)}, ${directory === "-" ? "is written" : `is in ${oneLine(directory)}`}\n`,
  );
  return EXIT.ok;
}

async function connectTo(base: string, signal: AbortSignal): Promise<Channel> {
  const socket = new WebSocket(codeSocketUrl(base), {
    rejectUnauthorized: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
  });
  socket.binaryType = "arraybuffer";
  return await openSocketChannel(socket, new URL(base).host, { clock: realClock, signMs: SIGN_MS, signal });
}

const toOutput: Consume = async (entries) => {
  let files = 0;
  for await (const entry of entries) {
    if (entry.kind === "folder" || files++ > 0)
      throw new StarfishError("unsupported", "These are several files: name a directory for them instead of '-'");
    for await (const bytes of entry.content) if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
  }
};

/**
 * Everything is first written beside its destination. So nothing half-written is left, and nothing that exists is
 * replaced.
 */
function toDirectory(directory: string): Consume {
  return async (entries) => {
    await mkdir(directory, { recursive: true });
    const work = await mkdtemp(join(directory, ".starfish-"));
    const roots = new Set<string>();
    try {
      for await (const entry of entries) {
        const [root = ""] = entry.path.split("/");
        if (!roots.has(root)) await checkFree(directory, root);
        roots.add(root);
        await layDown(entry, join(work, entry.path));
      }
      for (const root of roots) {
        await checkFree(directory, root);
        await rename(join(work, root), join(directory, root));
      }
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  };
}

async function checkFree(directory: string, name: string): Promise<void> {
  const at = join(directory, name);
  const isThere = await lstat(at).then(
    () => true,
    () => false,
  );
  if (isThere) throw new StarfishError("exists", `${oneLine(at)} is there already: nothing was fetched`);
}

async function layDown(entry: FetchedEntry, at: string): Promise<void> {
  if (entry.kind === "folder") return void (await mkdir(at, { recursive: true }));
  await mkdir(dirname(at), { recursive: true });
  await pipeline(entry.content, createWriteStream(at, { flags: "wx" }));
}
