/**
 * Every bound of the net in one place, each with the reason for its value. Membership, overlay and gossip keep the
 * constants of their algorithms beside them; what bounds memory, time or a peer's conduct stands here.
 */

/** Versions of the net protocol that this build speaks. A peer whose range does not meet it is told so. */
export const PROTOCOL_VERSIONS: { readonly min: number; readonly max: number } = { min: 4, max: 4 };

// Certificates

/**
 * From the root over three delegates to a member: more steps than people hand on an invite. Each costs a verification.
 */
export const CHAIN_LENGTH_MAX = 4;
/** A statement of format 1 has about 150 bytes. Newer formats have room in this; an attacker can't add much. */
export const STATEMENT_BYTES_MAX = 512;
/**
 * How wrong a clock may be before certificates are judged too early or too late: laptops and phones rarely err by more.
 */
export const CLOCK_TOLERANCE_MS: number = 5 * 60_000;
/**
 * How far common time may differ from a node's own clock, whatever its neighbours say. It is as much as certificates
 * tolerate. People's devices rarely err by more; a person whose device does is told to set its clock. Liars can shift a
 * node's time by this much at most.
 */
export const OWN_MS_MAX: number = 5 * 60_000;
/** Valid signatures that are remembered: two for each member of a large swarm, 64 hex digits each. */
export const VERIFIED_MAX = 4_096;
/**
 * How long the invite of a newly founded swarm is valid: people may keep it for months, but it should not last for
 * ever.
 */
export const INVITE_LIFETIME_MS: number = 365 * 24 * 3_600_000;
/** The founder's own certificate; it holds the root key and could renew it at any time. */
export const FOUNDER_LIFETIME_MS: number = 10 * 365 * 24 * 3_600_000;
/** Text of an invite that is read: the long form with its addresses. */
export const INVITE_CHARS_MAX = 2_800;
/** A whole link: a QR code of version 10 (57 modules), which phones read from a terminal of 61 columns. */
export const INVITE_LINK_CHARS_MAX = 250;
/** Bootstrap addresses in an invite: a few ways in are enough, and every one makes the QR code denser. */
export const INVITE_ADDRESSES_MAX = 4;
/** Addresses kept for the next start: each is dialled at each attempt while there is no link. */
export const KEPT_ADDRESSES_MAX = 16;
/** Longest address taken from an invite or record; a relayed WebRTC multiaddr has about 250 characters. */
export const ADDRESS_CHARS_MAX = 400;

// Admission

/**
 * Time that a stranger has to become a member. A throttled tab answers within 2 s; waiting longer would only cost this
 * node.
 */
export const STRANGER_DEADLINE_MS = 10_000;
/**
 * Links from others whose hello is under way at once. When there are more, the oldest is closed. A swarm of hundreds
 * that comes back after a cut needs tens.
 */
export const STRANGERS_MAX = 64;
/** Hello channels that a stranger may open on one link: both ends may start, and start again once. */
export const STRANGER_HELLOS_MAX = 4;
/** Channels that wait for the hello of their link to finish: a channel per part, and the first requests. */
export const WAITING_CHANNELS_MAX = 16;
/** A hello or its answer: a chain of CHAIN_LENGTH_MAX certificates and little else. */
export const HELLO_BYTES_MAX = 4_096;
/** Each record in such a message. Most have 700 bytes, and two of this size leave room for a chain. */
export const HELLO_RECORD_BYTES_MAX = 1_200;
/** Time for the word of refusal to reach a peer before its link is closed. */
export const FAREWELL_MS = 1_000;
/** How long a node that found its twin goes on answering it: time for the twin to dial again and hear of it. */
export const GIVE_WAY_MS = 5_000;
/**
 * How long a peer that failed admission is refused. Trying again and again should gain nothing, but a person who has
 * corrected the clock or the link should not wait long.
 */
export const REFUSED_MS = 30_000;
/** How often links are checked for certificates that have run out; a timer until then might exceed 2^31 ms. */
export const EXPIRY_SWEEP_MS = 30_000;

// PeerScore of members

/**
 * Largest message of a part (members, overlay, gossip): a gossip payload of 64 KiB and its wrapping; bulk goes by
 * channels.
 */
export const PART_MESSAGE_BYTES_MAX: number = 66 * 1024;
/**
 * Queued per part and peer while a channel opens or drains. A second of heavy gossip; above it messages are dropped.
 */
export const PART_QUEUE_BYTES_MAX: number = 512 * 1024;
export const PART_QUEUE_MESSAGES_MAX = 1_024;
/** Pause before a part's channel is opened again after that failed. */
export const PART_REOPEN_MS = 1_000;
/** Messages a second that a peer may send us for as long as it likes: ten times what 400 nodes in churn need. */
export const PEER_MESSAGES_PER_SECOND = 1_000;
/** Messages at once, on top of that rate: what piles up while a tab was stalled for some seconds. */
export const PEER_MESSAGES_BURST = 5_000;
/** Bytes that count as one more message against that rate, so that it also bounds bytes (4 MiB a second). */
export const PEER_BYTES_PER_TOKEN = 4_096;
/**
 * Faults that cost a peer its link. One bad message may be a bug; this many within minutes is a broken or hostile peer.
 */
export const FAULTS_MAX = 20;
/** Half-life of the count of faults: an honest peer with a rare bug stays far below the maximum. */
export const FAULT_HALF_LIFE_MS = 60_000;
/** How long a misbehaving member is kept out. */
export const MISBEHAVED_MS: number = 3 * 60_000;
/** Peers whose faults are remembered after their link is gone; the oldest is forgotten first. */
export const SCORED_PEERS_MAX = 1_024;

// Requests

/** Requests from one peer that are being served; more are refused as "busy". */
export const SERVED_PER_PEER_MAX = 64;
/** Requests from all peers that are being served. */
export const SERVED_MAX = 512;
/** Requests to one peer that wait for their reply. */
export const ASKED_PER_PEER_MAX = 64;
/** Requests to all peers that wait for their reply. */
export const ASKED_MAX = 1_024;
/** The deadline of a request if the caller names none. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Time from the opening of a request's channel to the request itself. */
export const REQUEST_ARRIVAL_MS = 10_000;
/**
 * Channels for one protocol on one link that wait for the next request: as many as a part that moves much has under
 * way.
 */
export const KEPT_CHANNELS_MAX = 4;
/**
 * How long the asker keeps a channel without a request; the server waits longer, so that none is lost between the two.
 */
export const KEPT_CHANNEL_MS = 5_000;
export const KEPT_CHANNEL_SERVED_MS = 30_000;
/**
 * If a peer does not read its replies, how long the server waits before it gives the channel up: as long as it waits
 * for the next request.
 */
export const REPLY_TAKEN_MS = 30_000;
/** Largest text of an error that is carried to the asker. */
export const ERROR_CHARS_MAX = 1_000;
/**
 * Largest request or reply that members carry for each other; larger ones need a link of their own. A tab that has no
 * link left for a device has shards of 256 KiB carried to it, one in a message, or many tiny ones with their names.
 */
export const FORWARD_BYTES_MAX: number = 288 * 1024;
/** Requests that this node carries for others at once: for one asker, and for all. */
export const FORWARDS_PER_PEER_MAX = 16;
export const FORWARDS_MAX = 128;
/** Members asked in turn to carry a request. */
export const FORWARDERS_TRIED_MAX = 3;
/** A forwarded request is refused when it is older than this by its asker's clock, and remembered that long. */
export const FORWARD_AGE_MAX_MS: number = 2 * CLOCK_TOLERANCE_MS;
/** Forwarded requests remembered against replay; when full, further ones are refused as "busy". */
export const FORWARD_NONCES_MAX = 8_192;

// Start

/** Shortest pause between attempts to reach the bootstrap addresses while this node is alone. */
export const JOIN_BACKOFF_MIN_MS = 500;
/**
 * The pause is this part of the time for which the node has been alone. A node that was cut off for half a minute is
 * back within about three seconds, and one that is alone for minutes asks seldom.
 */
export const JOIN_BACKOFF_SHARE: number = 1 / 10;
/** Longest such pause. A node that is alone tries as long as it lives. */
export const JOIN_BACKOFF_MAX_MS = 15_000;
/** Deadline of one attempt: a relayed WebRTC path takes up to some seconds. */
export const JOIN_ATTEMPT_MS = 10_000;
/**
 * How often the addresses at which others can be found are stored for the next start, if they have changed: often,
 * because a tab is reloaded without notice.
 */
export const ADDRESSES_SAVED_MS = 10_000;
/** How soon after a new link they are stored, if none of the stored addresses belongs to a member that is there. */
export const ADDRESSES_SAVED_SOON_MS = 500;
/** Topics whose derived keys are kept. */
export const SEALER_TOPICS_MAX = 256;
