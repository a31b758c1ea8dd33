/** Bytes as text, piece by piece. Bytes that are not UTF-8 are refused, since they would be stored wrongly. */
import { StarfishError } from "../../base/errors.ts";

export async function* textOf(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<string, void, undefined> {
  // A byte order mark at the beginning is dropped.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (error) {
      throw new StarfishError("malformed", `${name} is no UTF-8 text`, { cause: error });
    }
  };
  for await (const bytes of pieces) yield decode(bytes);
  yield decode();
}
