/**
 * What a node lends and keeps: what the command line says, else what its user chose the first time, which is remembered
 * in the data directory. The first time it asks, if there is a terminal. Otherwise the defaults hold, and nothing is
 * remembered.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import * as v from "valibot";
import { isStarfishError, StarfishError } from "../core/base/errors.ts";
import { DATABASE_BYTES_LEAST, DATABASE_BYTES_MOST } from "../core/db/limits.ts";
import { bytesWords } from "../core/shell/format.ts";
import { byteSize } from "../core/shell/options.ts";
import { writeDurably } from "./files.ts";
import { freeBytesAt, storageOffer } from "./storage.ts";

const CORES_MAX = 1_024;
const STORAGE_BYTES_MAX = Number.MAX_SAFE_INTEGER;

export interface Lending {
  readonly cores: number;
  readonly storageBytes: number;
}

const schema = v.object({
  cores: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(CORES_MAX)),
  storageBytes: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(STORAGE_BYTES_MAX)),
});

/** Half of the cores; the other half is for the person at the machine. */
export function coresOffer(cores: number = availableParallelism()): number {
  return Math.max(1, Math.floor(cores / 2));
}

/** `--cores`: a whole number. Throws "usage". */
export function coresFrom(text: string, what: string): number {
  const cores = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (cores <= CORES_MAX) return cores;
  throw new StarfishError("usage", `${what} must be a whole number from 0 to ${CORES_MAX}, not '${text}'`);
}

/** `--storage`: a size with its unit, because nobody means 5 bytes by 5. Throws "usage". */
export function storageFrom(text: string, what: string): number {
  if (/^0*[1-9]\d*$/.test(text)) {
    throw new StarfishError("usage", `${what} needs a unit: ${text}G for ${text} GB, ${text}M for ${text} MB`);
  }
  return byteSize(text, what);
}

/** `--database`: a size with its unit. Throws "usage". */
export function databaseFrom(text: string, what: string): number {
  const bytes = storageFrom(text, what);
  if (bytes >= DATABASE_BYTES_LEAST && bytes <= DATABASE_BYTES_MOST) return bytes;
  const bounds = `${bytesWords(DATABASE_BYTES_LEAST)} to ${bytesWords(DATABASE_BYTES_MOST)}`;
  throw new StarfishError(
    "usage",
    `${what} must be ${bounds}, not ${text}: each node holds the whole database in its memory`,
  );
}

/** What was chosen for this directory before; undefined if nothing was, or it can't be read. */
export async function rememberedLending(dataDir: string): Promise<Lending | undefined> {
  try {
    const kept: unknown = JSON.parse(await readFile(fileIn(dataDir), "utf8"));
    const { success, output } = v.safeParse(schema, kept);
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}

/** Rejects with "io". The directory has to exist, and belong to this process. */
export async function rememberLending(dataDir: string, lending: Lending): Promise<void> {
  await writeDurably(fileIn(dataDir), Buffer.from(`${JSON.stringify(lending)}\n`));
}

function fileIn(dataDir: string): string {
  return join(dataDir, "lending.json");
}

export interface Streams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks on a terminal for what no flag says. Enter accepts the proposal, and so does the end of the input. Rejects with
 * "cancelled" after Ctrl-C.
 */
export async function askLending(dataDir: string, said: Partial<Lending>, streams: Streams): Promise<Lending> {
  const questions = createInterface({ ...streams, terminal: true });
  const ended = new AbortController();
  questions.once("close", () => ended.abort());
  let isInterrupted = false;
  questions.once("SIGINT", () => {
    isInterrupted = true;
    questions.close();
  });
  const ask = async <T>(question: string, proposed: T, read: (text: string) => T): Promise<T> => {
    for (;;) {
      const answer = await questions.question(question, { signal: ended.signal }).catch(() => "");
      if (isInterrupted) throw new StarfishError("cancelled", "Nothing was started");
      try {
        return answer.trim() === "" ? proposed : read(answer.trim());
      } catch (error) {
        if (!isStarfishError(error)) throw error;
        streams.output.write(`${error.message}.\n`);
      }
    }
  };
  try {
    const all = availableParallelism();
    streams.output.write(
      "A Starfish node computes for everybody in its swarm, and keeps a part of everybody's files.\n" +
        `Enter takes what is proposed; change it any time with --cores and --storage, or in ${fileIn(dataDir)}.\n`,
    );
    const cores =
      said.cores ??
      (await ask(`Cores to lend, of ${all} [${coresOffer(all)}]: `, coresOffer(all), (text) => coresFrom(text, "It")));
    const offer = storageOffer(await freeBytesAt(dataDir));
    const storageBytes =
      said.storageBytes ??
      (await ask(`Disk to keep for the others [${bytesWords(offer)}]: `, offer, (text) => storageFrom(text, "It")));
    return { cores, storageBytes };
  } finally {
    questions.close();
  }
}
