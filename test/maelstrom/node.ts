/**
 * A node for Maelstrom (https://github.com/jepsen-io/maelstrom, doc/protocol.md): core/net and core/memory over
 * messages of JSON, a line each, on standard input and output. The workload (broadcast, g-set or pn-counter) is its
 * argument. Since Maelstrom starts its nodes without arguments, it may be in MAELSTROM_WORKLOAD instead.
 *
 * The first node founds the swarm; the others ask it for an invite until it answers.
 */
import { createInterface } from "node:readline";
import { createMemory } from "../../core/memory/memory.ts";
import type { ReplicatedMap } from "../../core/memory/types.ts";
import { createNet } from "../../core/net/net.ts";
import { realClock } from "../../core/platform/clock.ts";
import { MemoryStore } from "../../core/platform/memory-store.ts";
import { realRandom } from "../../core/platform/random.ts";
import { peerIdOf } from "../../core/base/peer-id.ts";
import { silentLog } from "../../core/ports/log.ts";
import { nodeCrypto } from "../../node/crypto.ts";
import { MaelstromNetwork } from "./network.ts";
import type { Packet } from "./wire.ts";
import { Counter, Elements } from "./workloads.ts";

type Body = Readonly<Record<string, unknown>> & { readonly type: string };

interface Message {
  readonly src: string;
  readonly dest: string;
  readonly body: Body;
}

/** How often a newcomer asks for the invite, ms. */
const ASK_MS = 200;

const workload: string = process.argv[2] ?? process.env["MAELSTROM_WORKLOAD"] ?? "broadcast";

class Node {
  #name = "";
  #lastId = 0;
  #network: MaelstromNetwork | undefined;
  #invite: string | undefined;
  readonly #invited = Promise.withResolvers<string>();
  #map: ReplicatedMap | undefined;

  receive(message: Message): void {
    const { body, src } = message;
    if (body.type === "link") return this.#network?.receive(src, body as unknown as Packet);
    if (body.type === "invite_ok") return this.#invited.resolve(String(body["invite"]));
    if (body.type === "invite") {
      if (this.#invite !== undefined) this.#send(src, { type: "invite_ok", invite: this.#invite });
      return;
    }
    if (body.type === "init") {
      this.#begin(String(body["node_id"]), (body["node_ids"] as string[]).map(String)).then(
        () => this.#reply(message, { type: "init_ok" }),
        (error: unknown) => this.#fail(message, error),
      );
      return;
    }
    try {
      this.#reply(message, this.#answer(body));
    } catch (error) {
      this.#fail(message, error);
    }
  }

  async #begin(name: string, names: readonly string[]): Promise<void> {
    this.#name = name;
    const [founder = name] = [...names].sort();
    const isFounder = founder === name;
    const invite = isFounder ? undefined : await this.#askFor(founder);
    const ports = {
      store: new MemoryStore(),
      clock: realClock,
      random: realRandom,
      crypto: nodeCrypto,
      log: silentLog,
    };
    const net = await createNet({ kind: "node", name, found: isFounder, ...(invite === undefined ? {} : { invite }) })({
      ...ports,
      network: (keys) => {
        const send = (to: string, packet: Packet): void => this.#send(to, { ...packet });
        this.#network = new MaelstromNetwork({ self: peerIdOf(keys.publicKey) }, { name, clock: realClock, send });
        return Promise.resolve(this.#network);
      },
    });
    this.#map = await createMemory({ ...ports, net }).map("maelstrom");
    if (isFounder) this.#invite = net.invite();
    // Writes are accepted when somebody can acknowledge them, or when there is nobody else.
    await this.#map.ready();
  }

  async #askFor(founder: string): Promise<string> {
    const timer = setInterval(() => this.#send(founder, { type: "invite" }), ASK_MS);
    try {
      return await this.#invited.promise;
    } finally {
      clearInterval(timer);
    }
  }

  #answer(body: Body): Body {
    const map = this.#map;
    if (map === undefined) throw new Error("not begun yet");
    const elements = new Elements(map);
    const counter = new Counter(map, this.#name);
    switch (body.type) {
      case "topology":
        return { type: "topology_ok" };
      case "broadcast":
        elements.add(Number(body["message"]));
        return { type: "broadcast_ok" };
      case "add":
        if (workload === "pn-counter") counter.add(Number(body["delta"]));
        else elements.add(Number(body["element"]));
        return { type: "add_ok" };
      case "read":
        if (workload === "broadcast") return { type: "read_ok", messages: elements.read() };
        return { type: "read_ok", value: workload === "pn-counter" ? counter.read() : elements.read() };
      default:
        throw new Error(`no message of type ${body.type} is known here`);
    }
  }

  #reply({ src, body }: Message, answer: Body): void {
    this.#send(src, { ...answer, in_reply_to: body["msg_id"] });
  }

  #fail(message: Message, error: unknown): void {
    // Code 11 of Maelstrom's errors: temporarily unavailable, and not done.
    this.#reply(message, { type: "error", code: 11, text: error instanceof Error ? error.message : String(error) });
  }

  #send(dest: string, body: Body): void {
    process.stdout.write(`${JSON.stringify({ src: this.#name, dest, body: { msg_id: ++this.#lastId, ...body } })}\n`);
  }
}

const node = new Node();
const input = createInterface({ input: process.stdin, crlfDelay: Infinity });
input.on("line", (line) => node.receive(JSON.parse(line) as Message));
// Maelstrom ends a node by closing its input.
input.on("close", () => process.exit(0));
