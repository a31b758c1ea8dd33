/**
 * Counts words: a word is a longest run of the letters A-Z and a-z, lower-cased; every other byte divides words. The
 * input is any bytes, the output a line "count word" for each word, in the order in which the words first appear.
 *
 * An open-addressed hash table (FNV-1a, linear probing) over the input itself: a word is kept as its place and length
 * in the input.
 */

/** Fields of a table slot: hash, place, length, count; a slot is free while its count is 0. */
const SLOT_BYTES: usize = 16;

let slots: usize = 0;
/** Slots in the table, a power of two. */
let capacity: u32 = 0;
let used: u32 = 0;

export function task(input: Uint8Array): Uint8Array {
  const data = input.dataStart;
  const length = input.byteLength;
  // Lower-cased in place: the input is ours, and equal words become equal bytes.
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(data + i);
    if (byte - 65 < 26) store<u8>(data + i, byte | 32);
  }
  reset(1024);
  let start = -1;
  let hash: u32 = 0;
  for (let i = 0; i <= length; i++) {
    const byte = i < length ? load<u8>(data + i) : 0;
    if (byte - 97 < 26) {
      if (start < 0) {
        start = i;
        hash = 0x811c9dc5;
      }
      hash = (hash ^ byte) * 0x01000193;
    } else if (start >= 0) {
      add(data + start, i - start, hash);
      start = -1;
    }
  }
  return lines();
}

function reset(size: u32): void {
  capacity = size;
  used = 0;
  const bytes = <usize>size * SLOT_BYTES;
  slots = __new(bytes, idof<ArrayBuffer>());
  memory.fill(slots, 0, bytes);
}

function add(word: usize, length: u32, hash: u32): void {
  if (used * 2 >= capacity) grow();
  const slot = find(word, length, hash);
  const count = load<u32>(slot, 12);
  if (count == 0) {
    used++;
    store<u32>(slot, hash, 0);
    store<u32>(slot, word, 4);
    store<u32>(slot, length, 8);
  }
  store<u32>(slot, count + 1, 12);
}

/** The word's slot, or the free one that it would get. */
function find(word: usize, length: u32, hash: u32): usize {
  let i = hash & (capacity - 1);
  let slot = slotAt(i);
  while (load<u32>(slot, 12) != 0 && !holds(slot, word, length, hash)) {
    i = (i + 1) & (capacity - 1);
    slot = slotAt(i);
  }
  return slot;
}

function slotAt(index: u32): usize {
  return slots + <usize>index * SLOT_BYTES;
}

function holds(slot: usize, word: usize, length: u32, hash: u32): bool {
  if (load<u32>(slot, 0) != hash || load<u32>(slot, 8) != length) return false;
  return memory.compare(load<u32>(slot, 4), word, length) == 0;
}

function grow(): void {
  const old = slots;
  const oldCapacity = capacity;
  const words = used;
  reset(capacity * 2);
  used = words;
  for (let i: u32 = 0; i < oldCapacity; i++) {
    const from = old + <usize>i * SLOT_BYTES;
    if (load<u32>(from, 12) == 0) continue;
    memory.copy(find(load<u32>(from, 4), load<u32>(from, 8), load<u32>(from, 0)), from, SLOT_BYTES);
  }
}

/**
 * The table as text, in order of first appearance, so that the same input gives the same bytes however the table grew.
 */
function lines(): Uint8Array {
  const order = new StaticArray<u64>(used);
  let size = 0;
  for (let i: u32 = 0, k = 0; i < capacity; i++) {
    const slot = slotAt(i);
    const count = load<u32>(slot, 12);
    if (count == 0) continue;
    unchecked((order[k++] = (<u64>load<u32>(slot, 4) << 32) | <u64>slot));
    size += digits(count) + 1 + load<u32>(slot, 8) + 1;
  }
  order.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const result = new Uint8Array(size);
  let at = result.dataStart;
  for (let k = 0, n = order.length; k < n; k++) {
    const slot = <usize>unchecked(order[k] & 0xffffffff);
    const length = load<u32>(slot, 8);
    at = decimal(load<u32>(slot, 12), at);
    store<u8>(at++, 32);
    memory.copy(at, <usize>load<u32>(slot, 4), <usize>length);
    at += <usize>length;
    store<u8>(at++, 10);
  }
  return result;
}

function digits(value: u32): u32 {
  let count: u32 = 1;
  while (value >= 10) {
    value /= 10;
    count++;
  }
  return count;
}

/** Writes `value` in decimal at `at` and returns the place after it. */
function decimal(value: u32, at: usize): usize {
  const end = at + digits(value);
  let place = end;
  do {
    store<u8>(--place, 48 + (value % 10));
    value /= 10;
  } while (value != 0);
  return end;
}
