/**
 * /dev/senders: a file for each member that this node's person has answered, or is being asked about. It contains
 * "allow", "refuse" or "asking". Writing it answers, and removing it makes the node ask about that member again.
 */
import { concat, text, type Bytes } from "../../../base/bytes.ts";
import { StarfishError } from "../../../base/errors.ts";
import type { Computer } from "../../../computer.ts";
import type { PeerId } from "../../../ports/network.ts";
import { nameOfMember } from "../net/names.ts";
import type { DirectoryView, FileView, View } from "../view.ts";

const WORD_BYTES_MAX = 16;

export function senders({ net, devices }: Pick<Computer, "net" | "devices">): DirectoryView {
  const list = (): ReadonlyMap<string, View> => {
    const peers = new Set([...devices.questions().map(({ from }) => from), ...devices.answers().keys()]);
    const members = net.members();
    // A member that has left keeps its name.
    return new Map([...peers].map((peer) => [nameOfMember(members, peer) ?? peer, senderView(peer, devices)]));
  };
  return { kind: "directory", about: "who may reach you", list };
}

function senderView(peer: PeerId, devices: Computer["devices"]): FileView {
  return {
    kind: "file",
    mode: 0o644,
    about: peer,
    text: () => `${devices.answers().get(peer) ?? "asking"}\n`,
    async write(source, { isAppend }) {
      const word = (await wordOf(source)).trim();
      // `>` empties a file first.
      if (word === "" && isAppend !== true) return;
      if (word !== "allow" && word !== "refuse")
        throw new StarfishError("usage", `write 'allow' or 'refuse', or remove the file to be asked again`);
      await devices.answer(peer, word);
    },
    remove: () => devices.answer(peer, undefined),
  };
}

async function wordOf(source: AsyncIterable<Bytes>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of source) {
    length += bytes.length;
    if (length > WORD_BYTES_MAX) throw new StarfishError("usage", "write 'allow' or 'refuse'");
    parts.push(Uint8Array.from(bytes));
  }
  return text(concat(parts));
}
