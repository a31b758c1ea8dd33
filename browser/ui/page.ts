/** The page's parts put together. `openPage` needs nothing but the document; `follow` brings it to life with a computer. */
import { inviteLink } from "../../core/net/identity/invite-link.ts";
import type { Text } from "../../core/shell/styled.ts";
import type { Computer } from "../../core/computer.ts";
import { History } from "../../core/shell/history.ts";
import { historyOf } from "../../core/shell/terminal/history-store.ts";
import { createSession, type Session } from "../../core/shell/interactive.ts";
import { bytesWords, wrapped } from "../../core/shell/format.ts";
import { createShell } from "../../core/shell/shell.ts";
import { readSetting, writeSetting } from "../settings.ts";
import type { StorageCap } from "../storage-cap.ts";
import { byId, setText } from "./dom.ts";
import { FilesView } from "./files/files-view.ts";
import { SpaceView } from "./files/space.ts";
import { greeting, PROMPT, whoIsHere } from "./greeting.ts";
import { connectKeep } from "./keep.ts";
import { connectInvitePanel } from "./invite-panel.ts";
import { showKeyBar } from "./key-bar.ts";
import { MemoryView } from "./memory-view.ts";
import { PendingShell } from "./pending-shell.ts";
import { pageHost } from "./host.ts";
import { followPerson } from "./person.ts";
import { connectPlaces } from "./places.ts";
import { starPath } from "./shapes.ts";
import { StatusLine } from "./status-line.ts";
import { SwarmTable } from "./swarm-table.ts";
import { SwarmView } from "./swarm-view.ts";
import { coresWords, linkWords, SwarmModel, type NodeFacts } from "./swarm-model.ts";
import { PageTerminal } from "./terminal.ts";

export class Page {
  readonly #terminal: PageTerminal;
  readonly #session: Session;
  /** What is typed before the node's own history is known joins it. */
  readonly #history = new History();
  readonly #shell = new PendingShell();
  readonly status: StatusLine = new StatusLine();
  #selected: string | undefined;
  #swarm = "";
  #model: SwarmModel | undefined;
  #keptBytesMax: () => number = () => 0;

  constructor() {
    byId("star", SVGPathElement).setAttribute("d", starPath(11));
    this.#terminal = new PageTerminal(byId("terminal", HTMLElement));
    this.#session = createSession(this.#shell, this.#terminal, {
      prompt: () => PROMPT,
      canEnd: false,
      history: this.#history,
    });
    this.#terminal.onResize(() => this.#session.resized());
    this.#terminal.onTooMuch = (bytes) => {
      const told = `What was pasted (${bytesWords(bytes)}) is too much at once: nothing of it was taken. 'put' brings files in.`;
      this.#session.print(wrapped(told, this.#terminal.info().columns));
    };
    this.#terminal.onRun = (line) => {
      this.#session.submit(line);
      this.#terminal.focus();
    };
    connectPlaces(this.#terminal);
    showKeyBar(this.#terminal);
    rememberScreenReader(this.#terminal);
  }

  /** Greets and shows the prompt. `swarm` is the swarm's name in words, as far as it is known. */
  open(swarm: string | undefined): void {
    setText(byId("swarm-name", HTMLElement), swarm ?? "");
    this.status.say(swarm === undefined ? "Not connected" : `Joining ${swarm}…`);
    this.#session.print(greeting(swarm, this.#terminal.info().columns));
    void this.#session.run({ signal: new AbortController().signal });
    if (matchMedia("(pointer: fine)").matches) this.#terminal.focus();
  }

  /** There will be no computer in this page; lines that are typed say so. */
  fail(error: unknown): void {
    this.#shell.fail(error);
  }

  print(text: Text): void {
    this.#session.print(text);
  }

  /** Shows and drives this computer. */
  follow(computer: Computer, options: { swarm: string; tasksRun: () => number; cap: StorageCap }): SwarmModel {
    const model = new SwarmModel(computer);
    this.#history.join(historyOf(computer.store));
    this.#model = model;
    setText(byId("swarm-name", HTMLElement), options.swarm);
    this.#swarm = options.swarm;
    const view = new SwarmView((node) => this.#select(node));
    const table = new SwarmTable();
    view.show(model);
    table.update(model.facts);
    model.onChange((facts) => {
      table.update(facts);
      this.#select(facts.nodes.find((node) => node.peer === this.#selected));
    });
    const run = (line: string): void => this.#session.submit(line);
    new MemoryView(computer, run).show();
    new FilesView(computer, run).show();
    new SpaceView(computer, options.cap).show();
    this.status.follow(model, {
      tasksRun: options.tasksRun,
      use: () => computer.storage.use(),
      clock: () => computer.net.clockNotice(),
    });
    connectKeep(options.cap);
    askBeforeClosing(computer);
    this.#keptBytesMax = () => computer.storage.use().offeredBytes;
    connectInvitePanel(() => inviteLink(computer));
    followPerson(computer.devices, (words) => this.#session.print(words));
    this.#shell.become(createShell(computer, pageHost(this.#terminal)));
    return model;
  }

  sayWhoIsHere(): void {
    if (this.#model === undefined) return;
    this.#session.print(whoIsHere(this.#swarm, this.#model.facts.nodes, this.#keptBytesMax(), this.#terminal.info()));
  }

  /** What is known of one node, in words, below the picture. */
  #select(node: NodeFacts | undefined): void {
    this.#selected = node?.peer;
    const nodes = this.#model?.facts.nodes ?? [];
    const nameOf = (peer: string): string => nodes.find((other) => other.peer === peer)?.name ?? "another node";
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
    setText(byId("detail", HTMLElement), words);
  }
}

/** What its person has running ends with the tab. */
function askBeforeClosing({ cpu }: Computer): void {
  addEventListener("beforeunload", (event) => {
    if (cpu.jobs().length > 0) event.preventDefault();
  });
}

/** The first thing the keyboard reaches; remembered, because who needs it needs it before reading anything. */
function rememberScreenReader(terminal: PageTerminal): void {
  const button = byId("reader", HTMLButtonElement);
  const apply = (on: boolean): void => {
    terminal.screenReader = on;
    button.setAttribute("aria-pressed", String(on));
  };
  apply(readSetting("screen-reader") === "on");
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    apply(on);
    writeSetting("screen-reader", on ? "on" : "off");
  });
}
