/**
 * The encryption of connections: libp2p's noise, with buffers that are given back at once. What is sent does not
 * change.
 *
 * For: @libp2p/noise 17.0.3 leaves each buffer that it has read, decrypted or encrypted to the garbage collector, which
 * is as much memory as all bytes that pass through. It also copies a record that has arrived in two chunks into a
 * buffer that only its own ciphers use. Here the buffers are marked as owned (base/owned.ts) and released when they are
 * read. Moving 200 MB over TCP between two nodes of one process takes 685 ms of CPU time with this and 1,118 without
 * (median of seven), over WebSocket 1,770 and 2,239; a put of 100 MB on eight nodes 6.4 s instead of 9.4. Goes when:
 * the library reuses its buffers or lets one say who owns them.
 */
import { noise, type ICryptoInterface } from "@libp2p/noise";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Uint8ArrayList } from "uint8arraylist";
import { own, release } from "../base/owned.ts";
import { transportOf } from "./addresses.ts";

/** A factory of libp2p encrypters. */
export type EncrypterFactory = ReturnType<typeof noise>;

/** The ciphers and hashes of a platform, in place of the library's own. */
export type NoiseCrypto = ICryptoInterface;

/**
 * What is relied on inside of the library's stream. Its version is pinned; node/plain-libp2p.node.test.ts fails if this
 * has changed.
 */
interface RecordStream {
  readonly decoder: {
    decode: (chunk: Uint8Array | Uint8ArrayList) => Iterable<Uint8ArrayList>;
  };
  readonly handshake: {
    encrypt: (plaintext: Uint8Array | Uint8ArrayList) => Uint8Array | Uint8ArrayList;
    readonly decrypt: (record: Uint8ArrayList) => Uint8Array | Uint8ArrayList;
  };
  decrypt: (record: Uint8ArrayList) => Uint8Array | Uint8ArrayList;
}

export function lightNoise(crypto?: NoiseCrypto): EncrypterFactory {
  const create = noise(crypto === undefined ? {} : { crypto });
  return (components) => {
    const encrypter = create(components);
    const inbound = encrypter.secureInbound.bind(encrypter);
    const outbound = encrypter.secureOutbound.bind(encrypter);
    encrypter.secureInbound = async (below, ...rest) => lightened(await inbound(below, ...rest), isOwn(below));
    encrypter.secureOutbound = async (below, ...rest) => lightened(await outbound(below, ...rest), isOwn(below));
    return encrypter;
  };
}

/**
 * Whether this connection alone owns the chunks that arrive. Chunks of a relayed connection are parts of records of the
 * connection to the relay.
 */
function isOwn(below: object): boolean {
  return !("remoteAddr" in below) || transportOf(below.remoteAddr as Multiaddr) !== "circuit";
}

function lightened<Secured extends { readonly connection: object }>(secured: Secured, isOwn: boolean): Secured {
  const stream = secured.connection as RecordStream;
  const { handshake, decoder } = stream;
  // The ciphers write into memory of their own.
  const encrypt = handshake.encrypt.bind(handshake);
  handshake.encrypt = (plaintext) => ownAll(encrypt(plaintext));
  const decode = decoder.decode.bind(decoder);
  // A socket gives each chunk to this stream alone.
  if (isOwn) decoder.decode = (chunk) => decode(ownAll(chunk));
  stream.decrypt = (record) => {
    const plaintext = ownAll(handshake.decrypt(record));
    // Chunks are read in order: when the end of one has been read, nothing of it is needed any more.
    if (isOwn) for (const piece of record) if (isEnd(piece)) release(piece);
    return plaintext;
  };
  return secured;
}

function ownAll<T extends Uint8Array | Uint8ArrayList>(bytes: T): T {
  const pieces: Iterable<Uint8Array> = bytes instanceof Uint8Array ? [bytes] : bytes;
  for (const piece of pieces) own(piece);
  return bytes;
}

function isEnd({ buffer, byteOffset, length }: Uint8Array): boolean {
  return byteOffset + length === buffer.byteLength;
}
