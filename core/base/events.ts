/** The one way core/ tells listeners of something: synchronous, in order of subscription, and easy to undo. */

export type Unsubscribe = () => void;

export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();

  add(listener: (value: T) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(value: T): void {
    // A snapshot: a listener that subscribes during the call hears only of the next event.
    const snapshot = [...this.#listeners];
    for (const listener of snapshot) listener(value);
  }

  get size(): number {
    return this.#listeners.size;
  }
}
