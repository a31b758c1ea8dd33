/**
 * Connects the page to a computer: the picture of the swarm, memory, files, status, invites, and the shell of the
 * prompt.
 */
import type { Computer } from "../../core/computer.ts";
import { inviteLink } from "../../core/net/identity/invite-link.ts";
import { isHeld } from "../../core/shell/jobs/foreground.ts";
import { historyOf } from "../../core/shell/terminal/history-store.ts";
import type { StorageCap } from "../storage-cap.ts";
import { byId, setText } from "./dom.ts";
import { connectDrops } from "./files/drops.ts";
import type { FilesView } from "./files/files-view.ts";
import { whoIsHere } from "./greeting.ts";
import { pageHost } from "./host.ts";
import { followMail } from "../../core/shell/mail/notices.ts";
import { followPerson } from "./person.ts";
import { followTransfers } from "../../core/shell/transfer/notices.ts";
import { showNews } from "./mail/badge.ts";
import type { Beginning } from "./mail/compose.ts";
import type { MailView } from "./mail/mail-view.ts";
import { connectKeep } from "./keep.ts";
import { connectNodeDrops } from "./node-drops.ts";
import type { NodePanel } from "./node-panel.ts";
import type { Page } from "./page.ts";
import { goTo } from "./places.ts";
import { type NodeFacts, SwarmModel } from "./swarm-model.ts";
import { SwarmTable } from "./swarm-table.ts";
import { SwarmView } from "./swarm-view.ts";

const NOT_LOADED = "This view could not be loaded: reload the page to try again.";

export interface ViewOptions {
  /** The swarm's name in words. */
  readonly swarm: string;
  readonly tasksRun: () => number;
  readonly cap: StorageCap;
}

export class ComputerViews {
  readonly model: SwarmModel;
  readonly #page: Page;
  readonly #computer: Computer;
  readonly #swarm: string;
  #selected: string | undefined;
  #mailView: Promise<MailView> | undefined;
  #nodePanel: Promise<NodePanel> | undefined;

  constructor(page: Page, computer: Computer, { swarm, tasksRun, cap }: ViewOptions) {
    this.#page = page;
    this.#computer = computer;
    this.#swarm = swarm;
    this.model = new SwarmModel(computer);
    page.swarm = swarm;
    this.#showSwarm();
    const run = (line: string): void => page.session.submit(line);
    const memory = byId("memory", HTMLElement);
    whenSeen(memory, () => {
      import("./memory-view.ts").then(
        ({ MemoryView }) => new MemoryView(computer, run).show(),
        () => (memory.textContent = NOT_LOADED),
      );
    });
    this.#connectFiles(run, cap);
    whenSeen(byId("jobs-place", HTMLElement), () => {
      import("./jobs/jobs-view.ts").then(
        ({ JobsView }) => new JobsView(computer, run).show(),
        () => setText(byId("jobs-said", HTMLElement), NOT_LOADED),
      );
    });
    const tables = byId("tables-place", HTMLElement);
    whenSeen(tables, () => {
      import("./tables/tables-view.ts").then(
        ({ TablesView }) => new TablesView(computer).show(),
        () => (tables.textContent = NOT_LOADED),
      );
    });
    showNews(computer);
    whenSeen(byId("mail-place", HTMLElement), () => void this.#mail());
    page.status.follow(this.model, {
      tasksRun,
      use: () => computer.storage.use(),
      clock: () => computer.net.clockNotice(),
    });
    connectKeep(cap);
    askBeforeClosing(computer);
    this.#connectInvite();
    page.history.join(historyOf(computer.store));
    followPerson(computer.devices, (words) => page.session.print(words));
    followMail(computer, (words) => page.session.print(words));
    followTransfers(computer, (words) => page.session.print(words));
    // The language and its commands are loaded after the node. Lines that are typed meanwhile wait for them.
    import("../../core/shell/shell.ts").then(
      ({ createShell }) => page.shell.become(createShell(computer, pageHost(page.terminal))),
      (error: unknown) => page.shell.fail(error),
    );
  }

  /** Call it once this tab is a member and knows the others. */
  sayWhoIsHere(): void {
    const { session, terminal } = this.#page;
    this.#showFaces((words) => session.print(words));
    const keptBytesMax = this.#computer.storage.use().offeredBytes;
    session.print(whoIsHere(this.#swarm, this.model.facts.nodes, keptBytesMax, terminal.info()));
  }

  /** Pictures of people are looked for once there is a person: most swarms have none. */
  #showFaces(tell: (words: string) => void): void {
    const { people } = this.#computer;
    const show = (): void => {
      if (people.all().length === 0) return;
      stop();
      import("./faces.ts").then(
        ({ showFaces }) => showFaces(this.#computer, tell),
        () => {},
      );
    };
    const stop = people.onChange(show);
    show();
  }

  /** The view of mail, loaded once; undefined if it can't be loaded, of which the person is told. */
  async #mail(): Promise<MailView | undefined> {
    this.#mailView ??= import("./mail/mail-view.ts").then(({ MailView }) => {
      const view = new MailView(this.#computer);
      view.show();
      return view;
    });
    try {
      return await this.#mailView;
    } catch {
      byId("mail-place", HTMLElement).textContent = NOT_LOADED;
      return undefined;
    }
  }

  /** The view of files is loaded when it comes into view, or when something is dropped for it. */
  #connectFiles(run: (line: string) => void, cap: StorageCap): void {
    let view: FilesView | undefined;
    let loading: Promise<FilesView> | undefined;
    const load = async (): Promise<FilesView> => {
      const { FilesView: View, SpaceView } = await import("./files/place.ts");
      view = new View(this.#computer, run);
      view.show();
      new SpaceView(this.#computer, cap).show();
      return view;
    };
    const files = (): Promise<FilesView> => (loading ??= load());
    const fail = (): void => setText(byId("files-said", HTMLElement), NOT_LOADED);
    whenSeen(byId("files-place", HTMLElement), () => void files().catch(fail));
    connectDrops(
      () => view?.directory ?? "/",
      (incoming) => {
        // The view reports what can't be read, once it is there.
        incoming.catch(() => {});
        files().then((loaded) => loaded.bring(incoming), fail);
      },
    );
  }

  /** Opens mail to a node, with what has been begun of it. */
  async #writeTo({ peer, name }: NodeFacts, beginning: Pick<Beginning, "files">): Promise<void> {
    goTo("mail");
    const view = await this.#mail();
    view?.write({ to: [{ address: { kind: "node", peer }, name, about: "" }], ...beginning });
  }

  #connectInvite(): void {
    const button = byId("invite-open", HTMLButtonElement);
    button.disabled = false;
    button.addEventListener("click", () => {
      import("./invite-panel.ts").then(
        ({ showInvite }) => showInvite(() => inviteLink(this.#computer)),
        () => this.#page.session.print("The panel could not be loaded; the command 'invite' says the link."),
      );
    });
  }

  /** What is said of a node comes when one is chosen; calls keep their order. */
  #panel(act: (panel: NodePanel) => void): void {
    this.#nodePanel ??= import("./node-panel.ts").then(
      ({ NodePanel: Panel }) => new Panel(this.#computer, (node, beginning) => void this.#writeTo(node, beginning)),
    );
    this.#nodePanel.then(act, () => setText(byId("swarm-said", HTMLElement), NOT_LOADED));
  }

  #showSwarm(): void {
    const select = (node: NodeFacts | undefined): void => {
      this.#selected = node?.peer;
      const { nodes } = this.model.facts;
      const nameOf = (peer: string): string => nodes.find((other) => other.peer === peer)?.name ?? "another node";
      if (node !== undefined || this.#nodePanel !== undefined) this.#panel((panel) => panel.show(node, nameOf));
      table.select(node?.peer);
    };
    const view = new SwarmView(select);
    const table = new SwarmTable((peer) => select(this.model.facts.nodes.find((node) => node.peer === peer)));
    view.show(this.model);
    table.update(this.model.facts);
    connectNodeDrops({
      find: (event) => view.nodeAt(event) ?? table.nodeAt(event, this.model.facts),
      aim: (node) => view.aim(node?.peer),
      take: (node, incoming) => this.#panel((panel) => void panel.take(node, incoming)),
    });
    this.model.onChange((facts) => {
      table.update(facts);
      select(facts.nodes.find((node) => node.peer === this.#selected));
    });
  }
}

/** Acts once, when the place first comes into view. */
function whenSeen(place: HTMLElement, act: () => void): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    act();
  });
  observer.observe(place);
}

/** What its person waits for ends with the tab; a detached job of the swarm does not. */
function askBeforeClosing(computer: Computer): void {
  addEventListener("beforeunload", (event) => {
    if (computer.cpu.jobs().length > 0 || isHeld(computer)) event.preventDefault();
  });
}
