/** A watcher is told of everything that changes, once. */
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";

test("keys are told for a batch at once, for deletions, for what others sent, and for what expires", () => {
  const time = new TestTime();
  const [map, other] = [new ReplicaMap(1, time), new ReplicaMap(2, time)];
  const heard: (readonly string[])[] = [];
  const stop = map.watchKeys((keys) => heard.push(keys));
  map.batch([
    { key: "a", value: new Uint8Array([1]) },
    { key: "b", value: 2, expiresInMs: 1_000 },
  ]);
  map.delete("a");
  other.set("c", 3);
  map.replica.receive([other.replica.keyed("c") ?? []].flat());
  time.nowMs += 2_000;
  map.replica.sweep(10);
  stop();
  map.set("d", 4);
  expect(heard).toEqual([["a", "b"], ["a"], ["c"], ["b"]]);
});
