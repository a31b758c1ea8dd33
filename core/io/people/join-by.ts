/** The other end of a code (join.ts): the node that becomes one of the person who made it. Fetched when it is needed. */
import { base32 } from "multiformats/bases/base32";
import { equal, utf8 } from "../../base/bytes.ts";
import { decode } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { packIds, shortIdOf } from "../../net/membership/rows.ts";
import type { PeerId } from "../../ports/network.ts";
import {
  answerSchema,
  askOf,
  ID_BYTES,
  insideSchema,
  type JoinAnswer,
  type JoinParts,
  keyOf,
  NONCE_BYTES,
  PERSON_PROTOCOL,
} from "./join.ts";
import { CODE_SECRET_BYTES, JOIN_MS } from "./limits.ts";

/** Rejects as `People.join`. */
export async function joinBy(
  code: string,
  { net, crypto }: JoinParts,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<JoinAnswer & { readonly from: PeerId }> {
  const bytes = parseCode(code);
  const [id, secret] = [bytes.subarray(0, ID_BYTES), bytes.subarray(ID_BYTES)];
  const member = net.members().find(({ record }) => equal(packIds([shortIdOf(crypto, record.peer)]), id));
  if (member === undefined || member.status === "gone") {
    throw new StarfishError("unreachable", "The node that made this code is not here now");
  }
  const { peer } = member.record;
  if (peer === net.self) throw new StarfishError("usage", "this node made that code; take it to another one");
  const request = { ask: askOf(crypto, secret) };
  const options = { signal, timeoutMs: JOIN_MS, isCarried: true };
  const { sealed } = await net.request(peer, PERSON_PROTOCOL, request, answerSchema, options);
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const opened = crypto.open(keyOf(crypto, secret), nonce, sealed.subarray(NONCE_BYTES), utf8(net.self));
  if (opened === undefined) throw new StarfishError("malformed", "The answer to this code can't be opened");
  const [name, seed] = decode(insideSchema, opened);
  return { name, seed, from: peer };
}

/** Throws "usage". */
function parseCode(code: string): Uint8Array {
  const letters = code.replaceAll(/[-\s]/g, "").toLowerCase();
  try {
    const bytes = base32.baseDecode(letters);
    if (bytes.length === ID_BYTES + CODE_SECRET_BYTES) return bytes;
  } catch {
    // Treated like a code of a wrong length.
  }
  throw new StarfishError("usage", "that is not a code; 'me add' on the other node prints one");
}
