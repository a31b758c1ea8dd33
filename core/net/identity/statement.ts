/**
 * Statements that a node signs outside of the net's own messages. Each names its purpose, so that none can be used in
 * the place of another.
 */
import { type Bytes, concat, utf8 } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import { publicKeyOf } from "../../base/peer-id.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";

/** The net's own signatures begin with "starfish" and another word than "statement". */
function statementOf(purpose: string, message: Bytes): Uint8Array {
  return concat([utf8(`starfish statement ${purpose}\n`), message]);
}

export function signStatement(crypto: Crypto, privateKey: Bytes, purpose: string, message: Bytes): Uint8Array {
  return crypto.sign(privateKey, statementOf(purpose, message));
}

/** Whether the holder of that key has signed it. */
export function isStatementOf(
  crypto: Crypto,
  publicKey: Bytes,
  purpose: string,
  message: Bytes,
  signature: Bytes,
): boolean {
  return crypto.verify(publicKey, statementOf(purpose, message), signature);
}

/** Whether that node has signed it; false also if the text is not a PeerId. */
export function isSignedBy(crypto: Crypto, peer: PeerId, purpose: string, message: Bytes, signature: Bytes): boolean {
  try {
    return isStatementOf(crypto, publicKeyOf(peer), purpose, message, signature);
  } catch (error) {
    if (isStarfishError(error, "malformed")) return false;
    throw error;
  }
}
