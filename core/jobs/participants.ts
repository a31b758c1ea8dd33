/**
 * The nodes that run tasks of a job (members that lend cores, and its submitter), and the order in which this node
 * takes tasks.
 */
import { toHex } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import { hashOf } from "../base/rendezvous.ts";
import type { Net } from "../net/types.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { PeerId } from "../ports/network.ts";
import type { JobRecord } from "./book.ts";
import type { Candidate } from "./draw.ts";
import { writable } from "./entries.ts";
import { Order, type Sharing } from "./plan.ts";
import type { Shares } from "./shares.ts";

interface ParticipantsParts {
  readonly net: Net;
  readonly crypto: Crypto;
  readonly shares: Shares;
}

export class Participants {
  readonly #job: JobRecord;
  readonly #total: () => number;
  readonly #parts: ParticipantsParts;
  /** Equal for equal jobs, so that each node gets tasks that it has done before. */
  readonly #key: number;
  /** The workers as of the last change, if this node had as many cores then. */
  #workers: { readonly all: readonly PeerId[]; readonly ownCores: number } | undefined;
  #order: { readonly order: Order; readonly workers: readonly Sharing[]; readonly total: number } | undefined;

  /** @param total tasks that are known now */
  constructor(job: JobRecord, total: () => number, parts: ParticipantsParts) {
    const { program, inputs, combine, limits } = job.spec;
    this.#job = job;
    this.#total = total;
    this.#parts = parts;
    this.#key = hashOf(toHex(parts.crypto.sha256(encode(writable([program, inputs, combine, limits]))))).a;
  }

  /** Somebody has come or gone, or tasks have come. */
  changed(): void {
    this.#workers = undefined;
  }

  workers(): readonly PeerId[] {
    const ownCores = this.#ownCores();
    if (this.#workers?.ownCores !== ownCores) this.#workers = { all: this.#find(ownCores), ownCores };
    return this.#workers.all;
  }

  #find(ownCores: number): PeerId[] {
    const { net } = this.#parts;
    const { on } = this.#job.spec;
    const able = net.members().filter(({ record, status, isSelf }) => {
      if (on !== undefined && !on.includes(record.peer)) return false;
      if (isSelf) return ownCores > 0;
      return (status === "awake" || status === "suspect") && (record.coresLent > 0 || record.peer === this.#job.by);
    });
    return able.map(({ record }) => record.peer).sort();
  }

  /** Members that are there, and the cores that they have for this job. */
  able(): Omit<Candidate, "failed">[] {
    const { net } = this.#parts;
    const workers = new Set(this.workers());
    return net
      .members()
      .filter(({ status, isSelf }) => isSelf || status === "awake" || status === "suspect")
      .map(({ record: { peer, device, coresLent }, isSelf }) => {
        const cores = isSelf ? this.#ownCores() : Math.max(1, coresLent);
        return { id: peer, device, cores: workers.has(peer) ? cores : 0 };
      });
  }

  order(): Order {
    const [workers, total, known] = [this.#sharing(), this.#total(), this.#order];
    // Members change more often than who works. For 200 nodes an order takes some milliseconds.
    if (known !== undefined && known.total === total && isSame(known.workers, workers)) return known.order;
    const order = new Order(total, workers, this.#parts.net.self, this.#key);
    this.#order = { order, workers, total };
    return order;
  }

  /** The workers with the cores that all know of. */
  #sharing(): readonly Sharing[] {
    const { net } = this.#parts;
    return this.workers().map((id) => ({ id, cores: Math.max(1, net.member(id)?.record.coresLent ?? 1) }));
  }

  #ownCores(): number {
    const { net, shares } = this.#parts;
    return shares.coresFor(this.#job.by === net.self);
  }
}

function isSame(some: readonly Sharing[], others: readonly Sharing[]): boolean {
  return (
    some.length === others.length && some.every(({ id, cores }, i) => id === others[i]?.id && cores === others[i].cores)
  );
}
