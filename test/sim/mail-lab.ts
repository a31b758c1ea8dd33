/**
 * Whole computers that write mails to each other in a simulated world, and a search for secrets that their stores
 * reveal.
 */
import { concat, utf8 } from "../../core/base/bytes.ts";
import type { Computer } from "../../core/computer.ts";
import type { Draft, InboxMail, Mail } from "../../core/io/mail/types.ts";
import { ShellBench } from "./shell-bench.ts";
import type { SimWorld } from "./world.ts";

const MINUTE_MS = 60_000;

export class MailLab {
  readonly bench: ShellBench;
  #invite: string | undefined;

  constructor(seed: number | string = 1) {
    this.bench = new ShellBench({ seed });
  }

  /** Nodes with these names that know each other's keys. */
  static async of(names: readonly string[], seed: number | string = 1): Promise<MailLab> {
    const lab = new MailLab(seed);
    for (const name of names) await lab.up(name);
    await lab.acquainted();
    return lab;
  }

  get world(): SimWorld {
    return this.bench.world;
  }

  computer(name: string): Computer {
    return this.bench.computer(name);
  }

  mail(name: string): Mail {
    return this.computer(name).mail;
  }

  addressOf(name: string): { readonly kind: "node"; readonly peer: string } {
    return { kind: "node", peer: this.computer(name).net.self };
  }

  /** A new machine, or one that was killed and starts again. */
  async up(name: string): Promise<Computer> {
    const before = this.world.nodes.find((node) => node.name === name);
    const invite = before === undefined ? this.#invite : undefined;
    const computer = await this.bench.up(name, invite === undefined ? {} : { invite });
    this.#invite ??= computer.net.invite();
    return computer;
  }

  kill(...names: readonly string[]): void {
    for (const name of names) {
      this.world.crash(name, { silent: true });
      this.bench.computers.delete(name);
    }
  }

  async acquainted(): Promise<void> {
    const all = [...this.bench.computers.values()];
    const peers = all.map(({ net }) => net.self);
    const knows = ({ mail }: Computer): boolean => {
      const known = new Set(mail.correspondents().map(({ address }) => (address.kind === "node" ? address.peer : "")));
      return peers.every((peer) => known.has(peer));
    };
    await this.until(() => all.every(knows), "all know each other's keys");
  }

  /** Waits until the others have noticed who is there. */
  async noticed(): Promise<void> {
    const all = [...this.bench.computers.values()];
    const isRight = ({ net }: Computer): boolean =>
      net.members().filter(({ status }) => status === "awake").length === all.length;
    await this.until(() => all.every(isRight), "it is noticed who is there", 3 * MINUTE_MS);
  }

  async until(condition: () => boolean, what: string, withinMs: number = MINUTE_MS): Promise<void> {
    await this.world.runUntil(condition, { withinMs, everyMs: 100, what, describe: () => this.#describe() });
  }

  settle<T>(promise: Promise<T>, withinMs: number = 10 * MINUTE_MS): Promise<T> {
    return this.world.settle(promise, { withinMs });
  }

  /** Sends it, and waits until it no longer depends on its sender. */
  async send(from: string, draft: Draft): Promise<string> {
    const { id, safe } = await this.settle(this.mail(from).send(draft));
    await this.settle(safe);
    return id;
  }

  async arrived(at: string, withinMs: number = 2 * MINUTE_MS): Promise<InboxMail> {
    const unread = (): InboxMail | undefined =>
      this.mail(at)
        .inbox()
        .find(({ state }) => state === "unread");
    await this.until(() => unread() !== undefined, `mail has arrived at ${at}`, withinMs);
    const mail = unread();
    if (mail === undefined) throw new Error(`nothing has arrived at ${at}`);
    return mail;
  }

  async text(at: string, id: string): Promise<string> {
    return (await this.settle(this.mail(at).read(id))).text;
  }

  async file(at: string, id: string, index = 0): Promise<Uint8Array> {
    return concat(await this.settle(Array.fromAsync(this.mail(at).file(id, index))));
  }

  /** The state of a mail, as its sender sees it. */
  stateOf(from: string, id: string, reader = 0): string | undefined {
    return this.mail(from)
      .sent()
      .find((mail) => mail.id === id)?.deliveries[reader]?.state;
  }

  /**
   * Which of these texts and bytes can be found in the stores of that machine: in its own data, and in shards that it
   * holds for others.
   */
  async seenIn(name: string, secrets: readonly (string | Uint8Array)[]): Promise<string[]> {
    const machine = this.world.node(name);
    const { store } = machine.ports;
    const kept: Uint8Array[] = [...machine.shardDisk.frames.values()];
    for (const key of await this.settle(store.keys(""))) {
      kept.push((await this.settle(store.get(key))) ?? new Uint8Array());
    }
    return secrets.flatMap((secret) => {
      const wanted = Buffer.from(typeof secret === "string" ? utf8(secret) : secret);
      return kept.some((bytes) => Buffer.from(bytes).includes(wanted)) ? [String(secret).slice(0, 40)] : [];
    });
  }

  #describe(): string {
    const all = [...this.bench.computers].map(([name, { mail }]) => {
      const inbox = mail.inbox().map(({ number, state, why, subject }) => `${number} ${state} ${why ?? ""} ${subject}`);
      const sent = mail.sent().map(({ deliveries }) => deliveries.map(({ state }) => state).join());
      return `${name}: inbox ${JSON.stringify(inbox)}, sent ${JSON.stringify(sent)}, set aside ${mail.setAside}`;
    });
    return all.join("\n");
  }
}

export async function* pieces(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}
