/** The facts about the node that is chosen in the picture or the table, and what can be sent to it: a file, a mail. */
import type { Computer } from "../../core/computer.ts";
import { byId, setText } from "./dom.ts";
import type { Incoming } from "./files/incoming.ts";
import { picked } from "./files/incoming.ts";
import { pick } from "./host.ts";
import type { Beginning } from "./mail/compose.ts";
import { coresWords, linkWords, type NodeFacts } from "./swarm-model.ts";

export class NodePanel {
  readonly #computer: Computer;
  readonly #write: (node: NodeFacts, beginning: Pick<Beginning, "files">) => void;
  readonly #send = byId("node-send", HTMLButtonElement);
  readonly #mail = byId("node-mail", HTMLButtonElement);
  #node: NodeFacts | undefined;

  /** `write` opens the place for writing mail, addressed to that node. */
  constructor(computer: Computer, write: (node: NodeFacts, beginning: Pick<Beginning, "files">) => void) {
    this.#computer = computer;
    this.#write = write;
    this.#send.addEventListener("click", () => void this.#pick());
    this.#mail.addEventListener("click", () => {
      if (this.#node !== undefined) write(this.#node, {});
    });
  }

  show(node: NodeFacts | undefined, nameOf: (peer: string) => string): void {
    this.#node = node;
    byId("node-actions", HTMLElement).hidden = node === undefined || node.isSelf;
    const words =
      node === undefined
        ? ""
        : [
            node.isSelf ? `${node.name}, this tab` : `${node.name}, ${node.kind === "tab" ? "a tab" : "a node"}`,
            coresWords(node),
            node.isSelf ? "" : linkWords(node, nameOf),
            node.link?.roundTripMs === undefined ? "" : `${node.link.roundTripMs.toFixed(1)} ms there and back`,
            node.peer,
          ]
            .filter(Boolean)
            .join(" · ");
    const detail = byId("detail", HTMLElement);
    setText(detail, words);
    detail.dataset["face"] = node?.peer ?? "";
  }

  /** Files for a sleeping node wait as mail. */
  async take(node: NodeFacts, incoming: Promise<Incoming>): Promise<void> {
    const say = (words: string): void => setText(byId("swarm-said", HTMLElement), words);
    try {
      if (node.status !== "awake") {
        const [{ attachmentOf }, { files }] = await Promise.all([import("./mail/attachment.ts"), incoming]);
        return this.#write(node, { files: files.map(({ path, file }) => attachmentOf(file, path.slice(1))) });
      }
      const { sendFiles } = await import("./mail/send-files.ts");
      const list = byId("sends", HTMLUListElement);
      say("");
      await sendFiles(this.#computer, { peer: node.peer, name: node.name, incoming, list, say });
    } catch {
      say("What sends files could not be loaded: reload the page to try again.");
    }
  }

  async #pick(): Promise<void> {
    const node = this.#node;
    if (node === undefined) return;
    let files: readonly File[];
    try {
      files = await pick(`Choose files for ${node.name}`, true, new AbortController().signal);
    } catch {
      // The person chose nothing.
      return;
    }
    await this.take(node, Promise.resolve(picked(files, "/")));
  }
}
