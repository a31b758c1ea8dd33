/**
 * What the page leaves out of its libraries (prune.ts does it). Each entry says why a tab never gets there; if one did all
 * the same, it would meet an error that names the function, in a test of test/browser or in the console.
 */

/** In place of names: every function and method of the module. */
export const ALL = "*";

/** Protobuf's decoders that hand out a message field by field: nobody here reads messages that way. */
const FIELD_BY_FIELD: readonly string[] = ["function*"];

/** By module below node_modules: the functions that throw. */
export const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  // A Starfish node is an Ed25519 key (core/base/peer-id.ts): whoever shows another kind is refused, here by the throw.
  "@libp2p/crypto/dist/src/keys/ecdsa/utils.js": [ALL],
  "@libp2p/crypto/dist/src/keys/rsa/utils.js": [ALL],
  "@libp2p/crypto/dist/src/keys/secp256k1/utils.js": [ALL],

  // Starfish dials IP addresses and names that the browser resolves, never /dnsaddr (core/transport/addresses.ts).
  "libp2p/dist/src/connection-manager/resolvers/dnsaddr.js": ["resolve", "getDNS"],
  // Reconnecting is for peers tagged keep-alive, and nobody tags any: the overlay decides.
  "p-retry/index.js": ["pRetry", "makeRetriable", "onAttemptFailure"],
  // Switched off in core/transport/libp2p.ts.
  "libp2p/dist/src/connection-monitor.js": [ALL],
  // Without routers there is nothing to route or to walk through; findPeer stays, and says so.
  "libp2p/dist/src/content-routing.js": ["findProviders", "provide", "cancelReprovide", "put", "get"],
  "libp2p/dist/src/peer-routing.js": ["getClosestPeers"],
  "libp2p/dist/src/random-walk.js": ["walk", "startWalk"],
  "libp2p/dist/src/libp2p.js": ["getPublicKey"],

  // Relays reserve by themselves for those they have admitted (core/transport/relay.ts): no tab asks for a reservation,
  // listens on one or looks for relays, and who asks a tab is told no before a voucher is made.
  "@libp2p/circuit-relay-v2/dist/src/server/index.js": ["makeReservation"],
  "@libp2p/circuit-relay-v2/dist/src/transport/discovery.js": ["startDiscovery", "onPeer", "maybeDialPeer", "dialPeer"],
  "@libp2p/circuit-relay-v2/dist/src/transport/index.js": ["createListener"],
  "@libp2p/circuit-relay-v2/dist/src/transport/reservation-store.js": [
    "reserveRelay",
    "addRelay",
    "#createReservation",
  ],
  // Signed peer records, and what others say of our addresses, come by identify, which is not used: Starfish gossips its
  // members itself.
  "@libp2p/peer-store/dist/src/index.js": ["consumePeerRecord"],
  "libp2p/dist/src/address-manager/index.js": ["addObservedAddr"],

  "@libp2p/circuit-relay-v2/dist/src/pb/index.js": FIELD_BY_FIELD,
  "@libp2p/crypto/dist/src/keys/keys.js": FIELD_BY_FIELD,
  "@libp2p/noise/dist/src/proto/payload.js": FIELD_BY_FIELD,
  "@libp2p/peer-store/dist/src/pb/peer.js": FIELD_BY_FIELD,
  "@libp2p/webrtc/dist/src/private-to-public/pb/message.js": FIELD_BY_FIELD,
  "@libp2p/webrtc/dist/src/private-to-private/pb/message.js": FIELD_BY_FIELD,
  "ipfs-unixfs/dist/src/unixfs.js": FIELD_BY_FIELD,
};

/** By module below node_modules: pieces of source and what to read instead. */
export const REWRITTEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // browser/ui/terminal.ts switches sixel off, and its decoder is half of the add-on. It is made in passing, as CommonJS:
  // said to be without effects, it falls out with what asked for it.
  "@xterm/addon-image/lib/addon-image.mjs": {
    "this._opts.sixelSupport": "false",
    "var $e=Y(Xe());": "var $e=/* @__PURE__ */Y(/* @__PURE__ */Xe());",
  },
  // Nothing here is ever written in it, and the table of its letters does not compress.
  "multiformats/dist/src/basics.js": { ", ...base256emoji": "" },
};

/** Modules whose log statements go: nobody hears them, see silent-logger.ts. */
export const LOGGING: RegExp = /^(libp2p|@libp2p\/[\w-]+|@chainsafe\/libp2p-[\w-]+)\//;

/** What is exported in a module's place, and from where: a file here, or another library of the page. */
export interface Replacement {
  readonly names: string;
  readonly from: string;
}

/** By module below node_modules: what stands in for it. */
export const REPLACED: Readonly<Record<string, Replacement>> = {
  // The tab's console is for the person's own troubles (browser/tab-node.ts); libp2p's steps are looked at in Node.
  "@libp2p/logger/dist/src/index.js": { names: "defaultLogger", from: "./silent-logger.ts" },
  // Locks that workers and processes share. libp2p runs on the page's thread alone.
  "mortice/dist/src/index.js": { names: "createLock as default", from: "./lock.ts" },
  // Sets in little memory, for peers and addresses that are told by what is left out above.
  "@libp2p/utils/dist/src/filters/index.js": { names: "createScalableCuckooFilter", from: "./empty-filter.ts" },
  // Asked by libp2p which IPv4 addresses are private; the page has another library for ranges of addresses already.
  "netmask/dist/netmask.js": { names: "IpNet as Netmask", from: "@chainsafe/netmask" },
};
