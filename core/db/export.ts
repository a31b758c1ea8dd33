/** All tables as an SQLite file, in pieces. */
import type { Database } from "./database.ts";

/** The size of a piece: what is held beside the file, and what a reader takes at a time. */
const PIECE_BYTES: number = 1024 * 1024;

export async function* exportFile(database: Database): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await database.serialize();
  for (let at = 0; at < file.length; at += PIECE_BYTES) yield file.subarray(at, at + PIECE_BYTES);
}
