/**
 * The facts about the swarm that the page shows: one list, which the picture, the table and the status line share, so
 * that they can't disagree. However fast changes come, they are told at most once a frame.
 */
import { Listeners, type Unsubscribe } from "../../core/base/events.ts";
import type { Computer } from "../../core/computer.ts";
import type { LinkInfo, Member, MemberStatus } from "../../core/net/types.ts";
import type { PeerId } from "../../core/ports/network.ts";

export interface NodeFacts {
  readonly peer: PeerId;
  readonly name: string;
  readonly kind: "tab" | "node";
  readonly isSelf: boolean;
  readonly status: MemberStatus;
  /** Whether it said goodbye, and was not lost. */
  readonly left: boolean;
  readonly coresLent: number;
  readonly tasksRunning: number;
  readonly link: LinkInfo | undefined;
}

export interface SwarmFacts {
  readonly nodes: readonly NodeFacts[];
  /** Members that count: awake, asleep or suspect. */
  readonly present: number;
  readonly linked: number;
}

export interface Traffic {
  readonly peer: PeerId;
  readonly direction: "in" | "out";
  readonly bytes: number;
}

/** How long a node that is gone is still shown, faded. Most come back within that time (a reload, a closed lid). */
const GONE_SHOWN_MS = 120_000;

export class SwarmModel implements Disposable {
  readonly #computer: Computer;
  readonly #changed = new Listeners<SwarmFacts>();
  readonly #traffic = new Listeners<Traffic>();
  readonly #goneAt = new Map<PeerId, number>();
  readonly #subscriptions: Unsubscribe[];
  #facts: SwarmFacts;
  #frame: number | undefined;
  #fading: ReturnType<typeof setTimeout> | undefined;
  /** Bytes since the start. */
  readonly bytes = { in: 0, out: 0 };

  constructor(computer: Computer) {
    this.#computer = computer;
    const { net, cpu } = computer;
    this.#facts = this.#collect();
    const later = (): void => this.#later();
    this.#subscriptions = [
      net.onMember(({ member }) => {
        if (member.status === "gone") this.#goneAt.set(member.record.peer, performance.now());
        else this.#goneAt.delete(member.record.peer);
        later();
      }),
      net.onLinks(later),
      cpu.onActivity(later),
      net.onTraffic((event) => {
        this.bytes[event.direction] += event.bytes;
        this.#traffic.emit(event);
      }),
    ];
  }

  get facts(): SwarmFacts {
    return this.#facts;
  }

  onChange(listener: (facts: SwarmFacts) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  /** Every message that passes a link of this node. */
  onTraffic(listener: (traffic: Traffic) => void): Unsubscribe {
    return this.#traffic.add(listener);
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    clearTimeout(this.#fading);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  #later(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#facts = this.#collect();
      this.#changed.emit(this.#facts);
    });
  }

  #collect(): SwarmFacts {
    const { net, cpu } = this.#computer;
    const links = new Map(net.links().map((link) => [link.peer, link]));
    const nodes: NodeFacts[] = [];
    for (const member of net.members()) {
      if (member.status === "gone" && !this.#fadingStill(member.record.peer)) continue;
      nodes.push(nodeFacts(member, links.get(member.record.peer), member.isSelf ? cpu.running().length : undefined));
    }
    nodes.sort((a, b) => Number(b.isSelf) - Number(a.isSelf) || a.name.localeCompare(b.name));
    return {
      nodes,
      present: nodes.filter((node) => node.status !== "gone").length,
      linked: links.size,
    };
  }

  /** Whether a node left so recently that it is still shown. Checks again when the time of the first one is over. */
  #fadingStill(peer: PeerId): boolean {
    const since = this.#goneAt.get(peer);
    if (since === undefined) return false;
    const leftMs = since + GONE_SHOWN_MS - performance.now();
    if (leftMs <= 0) {
      this.#goneAt.delete(peer);
      return false;
    }
    this.#fading ??= setTimeout(() => {
      this.#fading = undefined;
      this.#later();
    }, leftMs + 50);
    return true;
  }
}

function nodeFacts(member: Member, link: LinkInfo | undefined, running: number | undefined): NodeFacts {
  const { record, status, isSelf } = member;
  return {
    peer: record.peer,
    name: record.name,
    kind: record.kind,
    isSelf,
    status,
    left: record.state === "left",
    coresLent: record.coresLent,
    tasksRunning: status === "gone" ? 0 : (running ?? record.coresBusy),
    link,
  };
}

/** The link in words: "direct by WebRTC", "relayed by amber-otter: no WebRTC in this browser". */
export function linkWords(node: NodeFacts, nameOf: (peer: PeerId) => string): string {
  if (node.isSelf) return "this tab";
  if (node.status === "gone") return node.left ? "has left" : "lost";
  if (node.link === undefined) return "through others";
  const { kind, transport, via, reason } = node.link.path;
  if (kind === "direct") return `direct by ${TRANSPORTS[transport]}`;
  const by = via === undefined ? "relayed" : `relayed by ${nameOf(via)}`;
  return reason === undefined ? by : `${by}: ${reason}`;
}

const TRANSPORTS = {
  webrtc: "WebRTC",
  websocket: "WebSocket",
  tcp: "TCP",
  circuit: "relay",
  browser: "this browser",
  simulated: "simulation",
} as const;

/** The work of a node in words: "2 of 4 lent cores at work". */
export function coresWords(node: NodeFacts): string {
  if (node.status === "gone") return "";
  if (node.coresLent === 0) return node.tasksRunning === 0 ? "none lent" : `${node.tasksRunning} busy, none lent`;
  return node.tasksRunning === 0 ? `${node.coresLent} lent` : `${node.tasksRunning} of ${node.coresLent} busy`;
}

export function statusWords(node: NodeFacts): string {
  return STATUS[node.status];
}

const STATUS: Readonly<Record<MemberStatus, string>> = { awake: "", asleep: "asleep", suspect: "silent", gone: "gone" };
