/**
 * Keeps SQLite's index equal to the map. It is filled from the map when somebody first asks. Afterwards every change is
 * put into it, as the map has it at that moment. The index never shows a part of a batch: entries that change while
 * rows are read are read again before anybody sees them.
 */
import type { Unsubscribe } from "../base/events.ts";
import { Listeners } from "../base/events.ts";
import type { MapEntry } from "../memory/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { readLarge } from "./cells/large.ts";
import type { IndexClient } from "./index-client.ts";
import type { LargeReader, LargeValues } from "./large-values.ts";
import { APPLY_BYTES, APPLY_ROWS, DIRTY_MAX, LARGE_HOLD_AGAIN_MS, LARGE_HOLD_MS, LARGE_LOAD_MS } from "./limits.ts";
import { type Followed, isNotBefore, newestOf, readRow, RowPacker } from "./rows.ts";
import type { SchemaEntry } from "./schema/model.ts";
import { partsOfKey, rowOfKey, TABLE_ID_CHARS } from "./schema/names.ts";

export interface DatabaseChange {
  /** Folded names of the tables whose rows have changed. */
  readonly tables: ReadonlySet<string>;
  /** Whether tables, columns, views, indexes or triggers have changed. */
  readonly isOfSchema: boolean;
}

interface FollowerParts {
  readonly map: Followed;
  readonly clock: Clock;
  readonly log: Log;
  readonly large: LargeValues;
}

export class Follower {
  readonly #map: Followed;
  readonly #log: Log;
  readonly #clock: Clock;
  /** Rows (TABLE/KEY) that have changed since they were put into the index. */
  readonly #dirty = new Set<string>();
  #isSchemaDirty = false;
  #isFollowing = false;
  /** Whether more has changed than is worth listing. */
  #isLost = false;
  #isOwn = false;
  #tables = new Map<string, string>();
  #setAside = 0;
  readonly #changed = new Listeners<DatabaseChange>();
  readonly #stirred: () => void;
  readonly #stop: Unsubscribe;
  readonly #large: LargeValues;
  readonly #reader: LargeReader = {
    arrived: (row) => this.touch([row]),
    wants: (row, { cid }) =>
      readRow(this.#map, row).cells.some(({ value }) => value instanceof Uint8Array && readLarge(value)?.cid === cid),
  };
  /** Large values that were not here when the rows were last read. */
  #lacking = 0;
  #isHolding = false;
  #holdsAgainAtMs = Number.NEGATIVE_INFINITY;

  /** `stirred` is called when there is something to put into the index. */
  constructor(parts: FollowerParts, stirred: () => void) {
    const { map, log, large, clock } = parts;
    this.#map = map;
    this.#log = log;
    this.#large = large;
    this.#clock = clock;
    this.#stirred = stirred;
    this.#stop = map.watchKeys((keys) => this.#heard(keys));
  }

  get behind(): number {
    return this.#dirty.size + (this.#isSchemaDirty ? 1 : 0);
  }

  /** Whether the index has to be made anew. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether changes are held back, since large values of theirs are being fetched. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  get tables(): number {
    return this.#tables.size;
  }

  get setAside(): number {
    return this.#setAside;
  }

  onChange(listener: (change: DatabaseChange) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  tell(names: Iterable<string>, isOfSchema = false): void {
    const tables = new Set(names);
    if (tables.size > 0 || isOfSchema) this.#changed.emit({ tables, isOfSchema });
  }

  /** Fills an empty index with everything in the map. Nobody may use it meanwhile. */
  async load(client: IndexClient): Promise<void> {
    this.#dirty.clear();
    this.#isLost = false;
    this.#isFollowing = true;
    this.#isSchemaDirty = true;
    await this.update(client, { isEmpty: true });
  }

  /** There is no index any more, so changes are not listed. */
  forget(): void {
    this.#isFollowing = false;
    this.#dirty.clear();
    this.#isSchemaDirty = false;
  }

  /** Runs `work`, whose writes to the map are in the index already. */
  write(work: () => void): void {
    this.#isOwn = true;
    try {
      work();
    } finally {
      this.#isOwn = false;
    }
  }

  /** Notes rows whose places in the index depend on other rows. */
  touch(rows: Iterable<string>): void {
    for (const row of rows) this.#dirty.add(row);
    if (this.#dirty.size > 0) this.#stirred();
  }

  /**
   * Puts all changes into the index. Nobody may use it meanwhile. `mayHold`: if large values are missing, it may leave
   * the changes for later, so that transactions are seen with all of their rows.
   */
  async update(
    client: IndexClient,
    options: { readonly isEmpty?: boolean; readonly mayHold?: boolean } = {},
  ): Promise<void> {
    let { isEmpty = false } = options;
    const names = new Set<string>();
    const refill = new Set<string>();
    let isBegun = false;
    let isOfSchema = false;
    const packer = this.#packer();
    if (options.mayHold === true && this.#holds(packer, names)) return;
    do {
      if (this.#isSchemaDirty) {
        isOfSchema = true;
        if (isBegun) await client.call("endApply", []);
        isBegun = false;
        for (const id of await this.#schema(client, names)) refill.add(id);
      }
      if (!isBegun) await client.call("beginApply", []);
      isBegun = true;
      this.#lacking = 0;
      if (isEmpty) await this.#fill(client, "");
      else for (const id of refill) await this.#fill(client, `${id}/`);
      // Whoever waits for the index waits for large values too, if they come soon.
      if (isEmpty && this.#lacking > 0) await this.#large.tried(LARGE_LOAD_MS);
      refill.clear();
      isEmpty = false;
      await this.#applyDirty(client, packer, names);
      // `#settle` reads rows as they are now. If they change meanwhile, the loop applies that before anybody sees the
      // index.
      if (this.#dirty.size === 0) await this.#settle(client);
    } while (this.#isSchemaDirty || this.#dirty.size > 0);
    await client.call("endApply", []);
    this.tell(names, isOfSchema);
  }

  /** Reads the first changed rows. True: large values of theirs are missing, and all changes wait for these. */
  #holds(packer: RowPacker, names: Set<string>): boolean {
    if (this.#isHolding) return true;
    const isPatient = this.#clock.monotonic() >= this.#holdsAgainAtMs && !this.#isSchemaDirty;
    if (!isPatient || this.#dirty.size > APPLY_ROWS) return false;
    this.#lacking = 0;
    const rows = this.#pack(packer, names);
    if (this.#lacking === 0) return false;
    packer.take();
    names.clear();
    for (const row of rows) this.#dirty.add(row);
    this.#isHolding = true;
    void this.#large.tried(LARGE_HOLD_MS).then(() => {
      this.#isHolding = false;
      // If they are still missing, the changes are shown without them, and the next ones are not held back for a while.
      if (this.#large.missing > 0) this.#holdsAgainAtMs = this.#clock.monotonic() + LARGE_HOLD_AGAIN_MS;
      this.#stirred();
    });
    return true;
  }

  #packer(): RowPacker {
    return new RowPacker((row, ref) => {
      const content = this.#large.find(row, ref, this.#reader);
      if (content === undefined) this.#lacking++;
      return content;
    });
  }

  /**
   * After a schema change of this node: the index has made the change already, and now gets the map's version of it.
   */
  async schemaChanged(client: IndexClient): Promise<void> {
    this.#isSchemaDirty = true;
    await this.update(client);
  }

  close(): void {
    this.#stop();
  }

  /** Fills tables that were emptied. */
  async #schema(client: IndexClient, names: Set<string>): Promise<readonly string[]> {
    this.#isSchemaDirty = false;
    const before = this.#tables;
    const { refill, tables, problems } = await client.call("schema", [this.schemaEntries()]);
    this.#tables = new Map(tables);
    for (const id of refill) names.add(this.#tables.get(id) ?? "");
    for (const [id, name] of [...before, ...this.#tables]) {
      if (before.has(id) !== this.#tables.has(id)) names.add(name);
    }
    // Columns, indexes and views may have changed as well.
    for (const name of this.#tables.values()) names.add(name);
    if (problems.length > 0) this.#log.write("warn", "db.schema", { problems: problems.slice(0, 10) });
    return refill;
  }

  schemaEntries(): SchemaEntry[] {
    return [...this.#map.entries("!")].map(({ key, value, version }) => ({ key, value, stamp: version.stamp }));
  }

  async #applyDirty(client: IndexClient, packer: RowPacker, names: Set<string>): Promise<void> {
    const sender = new RowSender(client);
    while (packer.count > 0 || this.#dirty.size > 0) {
      this.#pack(packer, names);
      await sender.send(packer);
    }
    await sender.done();
  }

  /** Reads changed rows, as many as are applied at once. Returns their names. */
  #pack(packer: RowPacker, names: Set<string>): string[] {
    const rows: string[] = [];
    let table = "";
    for (const row of this.#dirty) {
      this.#dirty.delete(row);
      rows.push(row);
      const { entry, cells } = readRow(this.#map, row);
      packer.add(row, entry, cells);
      if (table === "" || !row.startsWith(table)) {
        table = row.slice(0, TABLE_ID_CHARS);
        const name = this.#tables.get(table);
        if (name !== undefined) names.add(name);
      }
      if (packer.count >= APPLY_ROWS || packer.length >= APPLY_BYTES) break;
    }
    return rows;
  }

  /**
   * Puts all rows of a table, or of all tables, into the index. In the map's order, each row is followed by its cells.
   */
  async #fill(client: IndexClient, prefix: string): Promise<void> {
    const packer = this.#packer();
    const sender = new RowSender(client);
    let row: MapEntry | undefined;
    let cells: MapEntry[] = [];
    for (const entry of this.#map.entries(prefix)) {
      if (entry.key.startsWith("!")) continue;
      const parts = partsOfKey(entry.key);
      if (parts === undefined) this.#refuse(entry.key);
      else if (parts.column !== undefined) {
        if (parts.row === row?.key) cells.push(entry);
      } else {
        if (row !== undefined) packer.add(row.key, row, cells);
        [row, cells] = [entry, []];
        if (packer.count >= APPLY_ROWS || packer.length >= APPLY_BYTES) await sender.send(packer);
      }
    }
    if (row !== undefined) packer.add(row.key, row, cells);
    await sender.send(packer);
    await sender.done();
  }

  /** Finds places for rows that can't all be there. The index asks for the versions that decide it. */
  async #settle(client: IndexClient): Promise<void> {
    const packer = this.#packer();
    for (;;) {
      const rows = await client.call("unsettled", []);
      if (rows.length === 0) return;
      const versions = new Float64Array(2 * rows.length);
      for (const [i, row] of rows.entries()) {
        const { entry, cells } = readRow(this.#map, row);
        packer.add(row, entry, cells);
        if (entry === undefined) continue;
        const counted = cells.filter((cell) => isNotBefore(cell.version, entry.version));
        const { stamp, writer } = newestOf(entry, counted);
        versions.set([stamp, writer], 2 * i);
      }
      await client.call("settle", [packer.take(), versions]);
    }
  }

  #heard(keys: readonly string[]): void {
    if (this.#isOwn || !this.#isFollowing) return;
    for (const key of keys) {
      if (key.startsWith("!")) this.#isSchemaDirty = true;
      else {
        const row = rowOfKey(key);
        if (row === undefined) this.#refuse(key);
        else this.#dirty.add(row);
      }
    }
    if (this.#dirty.size > DIRTY_MAX) {
      this.#isLost = true;
      this.forget();
    }
    this.#stirred();
  }

  #refuse(key: string): void {
    if (this.#setAside++ === 0) this.#log.write("warn", "db.set-aside", { key: key.slice(0, 40) });
  }
}

/** Sends rows to the thread, which applies them while the next ones are read. */
class RowSender {
  readonly #client: IndexClient;
  #applied: Promise<void> = Promise.resolve();

  constructor(client: IndexClient) {
    this.#client = client;
  }

  /** Waits for the rows before. */
  async send(packer: RowPacker): Promise<void> {
    await this.#applied;
    if (packer.count === 0) return;
    const rows = packer.take();
    this.#applied = this.#client.call("apply", [rows], { transfer: [rows.buffer] });
    // It is awaited later, and may fail before.
    this.#applied.catch(() => {});
  }

  async done(): Promise<void> {
    await this.#applied;
  }
}
