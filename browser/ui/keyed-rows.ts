/**
 * The rows of a list, by the ids of what they show. They are kept from one drawing to the next, with their focus and
 * what is open in them.
 */
export class KeyedRows<Row extends { readonly element: HTMLElement }> {
  readonly #parent: HTMLElement;
  readonly #rows = new Map<string, Row>();

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  get(id: string | undefined): Row | undefined {
    return id === undefined ? undefined : this.#rows.get(id);
  }

  clear(): void {
    this.#rows.clear();
    this.#parent.replaceChildren();
  }

  /**
   * One row for each item, in their order. Rows of items that are gone are removed, unless `staysOpen` says otherwise.
   */
  show<Item>(
    items: readonly Item[],
    how: {
      readonly idOf: (item: Item) => string;
      readonly make: (item: Item) => Row;
      readonly fill: (row: Row, item: Item) => void;
      readonly staysOpen?: (row: Row) => boolean;
    },
  ): void {
    const shown = new Set(items.map(how.idOf));
    for (const [id, row] of this.#rows) {
      if (shown.has(id) || how.staysOpen?.(row) === true) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const [index, item] of items.entries()) {
      const id = how.idOf(item);
      const row = this.#rows.get(id) ?? how.make(item);
      this.#rows.set(id, row);
      how.fill(row, item);
      const there = this.#parent.children[index];
      if (there !== row.element) this.#parent.insertBefore(row.element, there ?? null);
    }
  }
}
