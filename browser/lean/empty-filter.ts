/**
 * In the page, in place of libp2p's cuckoo filters, into which nothing is ever put (left-out.ts): has nothing, and says so
 * loudly if that is wrong.
 */
import { leftOut } from "./complain.ts";

interface Filter {
  has(item: Uint8Array): boolean;
  add(item: Uint8Array): never;
  remove(item: Uint8Array): boolean;
}

export function createScalableCuckooFilter(): Filter {
  return {
    has: () => false,
    add: () => {
      throw leftOut("A filter of peers or addresses");
    },
    remove: () => false,
  };
}
