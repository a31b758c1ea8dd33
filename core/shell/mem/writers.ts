/** The writer of an entry: the member of the version's writer number, if this node knows it. */
import type { Text } from "../styled.ts";
import type { Unsubscribe } from "../../base/events.ts";
import type { Computer } from "../../computer.ts";
import { shortIdOf, type ShortId } from "../../net/membership/rows.ts";
import type { Member } from "../../net/types.ts";
import type { PeerId } from "../../ports/network.ts";
import { dim, paint } from "../format.ts";
import type { TerminalInfo } from "../types.ts";
import { mark } from "../who.ts";

export class Writers implements Disposable {
  readonly #computer: Computer;
  readonly #peers = new Map<ShortId, PeerId>();
  readonly #unsubscribe: Unsubscribe;

  constructor(computer: Computer) {
    this.#computer = computer;
    const learn = ({ record: { peer } }: Member): unknown => this.#peers.set(shortIdOf(computer.crypto, peer), peer);
    for (const member of computer.net.members()) learn(member);
    this.#unsubscribe = computer.net.onMember(({ before, member }) => {
      if (before === undefined) learn(member);
    });
  }

  /** Undefined for members that left long ago. */
  find(writer: ShortId): Member | undefined {
    const peer = this.#peers.get(writer);
    const member = peer === undefined ? undefined : this.#computer.net.member(peer);
    if (member === undefined) this.#peers.delete(writer);
    return member;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }
}

/** The writer in the form of `peers`. */
export function writerWords(member: Member | undefined, terminal: TerminalInfo | undefined): Text {
  if (member === undefined) return dim("somebody who left", terminal);
  return paint(`${mark(member)} ${member.record.name}`, member.record.peer, terminal);
}
