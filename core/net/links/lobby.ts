/**
 * The lobby, in which links wait until both ends have proved their membership. It runs the hellos, keeps their
 * deadlines and bounds, and reports failures. The link table (link-table.ts), which the lobby calls, decides what
 * becomes of a link.
 */
import { isStarfishError, StarfishError, toStarfishError } from "../../base/errors.ts";
import type { Timer } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { Channel, Link, Network, PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { greet, HELLO_PROTOCOL, type HelloRecords, host, isPunished, type Outcome, type Pass } from "./admission.ts";
import type { Standing } from "../identity/certificate.ts";
import { FAREWELL_MS, REFUSED_MS, STRANGER_DEADLINE_MS, STRANGER_HELLOS_MAX } from "../limits.ts";
import type { AdmittedLink } from "./links.ts";
import type { MemberLink } from "./member-link.ts";
import type { SwarmClock } from "../time/swarm-clock.ts";

/** A link from its first moment to its last. */
export interface Entry {
  readonly link: Link;
  /** Ends the handshakes that are under way. */
  readonly ended: AbortController;
  readonly settled: PromiseWithResolvers<AdmittedLink>;
  /** State of a link until its other end is admitted: the deadline for that, and the channels that wait for it. */
  deadline: Timer | undefined;
  waiting: { readonly channel: Channel; readonly receive: (channel: Channel, link: MemberLink) => void }[];
  hasGreeted: boolean;
  hellos: number;
  member: MemberLink | undefined;
  isOver: boolean;
}

export interface Refusal {
  readonly peer: PeerId;
  /** Which side found fault with the other. */
  readonly by: "us" | "them";
  readonly error: StarfishError;
}

export interface LobbyOptions {
  readonly pass: () => Pass;
  readonly onMember: (entry: Entry, standing: Standing, life: Uint8Array) => void;
  readonly onRefused: (refusal: Refusal) => void;
  /** The entry is over; its link is closed when everything has been said. */
  readonly onEnd: (entry: Entry, error: StarfishError) => void;
}

export interface LobbyPorts {
  readonly network: Network;
  readonly clock: SwarmClock;
  readonly crypto: Crypto;
  readonly random: Random;
  readonly records?: HelloRecords | undefined;
  readonly log: Log;
}

export class Lobby {
  readonly #options: LobbyOptions;
  readonly #ports: LobbyPorts;

  constructor(options: LobbyOptions, ports: LobbyPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Takes a new link. The dialling end says hello first; a dialler that says nothing is told nothing. */
  enter(entry: Entry): void {
    entry.deadline = this.#ports.clock.timer(STRANGER_DEADLINE_MS, () => this.#tooLate(entry));
    if (!entry.link.inbound) this.#greet(entry);
  }

  /**
   * This node has dialled the peer, and got this link. If both have dialled at once, each may believe that the other
   * one has; so both say hello.
   */
  dialled(entry: Entry): void {
    if (entry.member === undefined && !entry.isOver) this.#greet(entry);
  }

  /** The peer says hello; a member may do so again. */
  hello(entry: Entry, channel: Channel): void {
    if (entry.isOver || (entry.member === undefined && entry.hellos >= STRANGER_HELLOS_MAX)) {
      return channel.abort(new StarfishError("busy", "Too many hellos"));
    }
    entry.hellos++;
    host(channel, entry.link.peer, this.#options.pass(), this.#ports, entry.ended.signal).then(
      (outcome) => this.#concluded(entry, outcome),
      (error: unknown) => {
        // A hello that breaks off proves nothing; the deadline takes care of it, unless it was an attack.
        if (isStarfishError(error, "too-large")) this.#concluded(entry, { kind: "refused", by: "us", error });
      },
    );
  }

  #greet(entry: Entry): void {
    if (entry.hasGreeted) return;
    entry.hasGreeted = true;
    const { signal } = entry.ended;
    const greeting = async (): Promise<Outcome> => {
      const channel = await entry.link.open(HELLO_PROTOCOL, { signal });
      return greet(channel, entry.link.peer, this.#options.pass(), this.#ports, signal);
    };
    greeting().then(
      (outcome) => this.#concluded(entry, outcome),
      (error: unknown) => this.#failed(entry, greetingError(error)),
    );
  }

  #concluded(entry: Entry, outcome: Outcome): void {
    if (entry.isOver) return;
    if (outcome.kind === "member") return this.#options.onMember(entry, outcome.standing, outcome.life);
    const { by, error } = outcome;
    const { link } = entry;
    this.#over(entry, { peer: link.peer, by, error });
    if (by === "us") this.#farewell(link, error);
    else void link.close();
  }

  #over(entry: Entry, refusal: Refusal): void {
    const { peer, by, error } = refusal;
    this.#ports.log.write("info", "net.refused", { peer, by, code: error.code, message: error.message });
    this.#options.onEnd(entry, error);
    this.#options.onRefused(refusal);
  }

  /** The refusal has to arrive first. The refused peer closes the link when it has read it. */
  #farewell(link: Link, error: StarfishError): void {
    const part = (): void => {
      if (isPunished(error)) this.#ports.network.expel(link.peer, REFUSED_MS);
      else void link.close();
    };
    const patience = this.#ports.clock.timer(FAREWELL_MS, part);
    link.onClose(() => {
      patience.cancel();
      part();
    });
  }

  /** The hello failed, and nobody is known to be at fault. */
  #failed(entry: Entry, error: StarfishError): void {
    if (entry.isOver || entry.member !== undefined) return;
    this.#over(entry, { peer: entry.link.peer, by: "us", error });
    void entry.link.close();
  }

  #tooLate(entry: Entry): void {
    const message = `No proof of membership within ${STRANGER_DEADLINE_MS / 1_000} s`;
    this.#failed(entry, new StarfishError("timeout", message, { retryable: true }));
  }
}

/** A peer that doesn't know our hello is of another version, or no Starfish node at all. */
function greetingError(error: unknown): StarfishError {
  if (!isStarfishError(error, "unknown-protocol")) return toStarfishError(error, "link-closed");
  return new StarfishError("version-mismatch", `The other side does not speak ${HELLO_PROTOCOL}: another version?`, {
    cause: error,
  });
}
