import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SignedRecord } from "./record.ts";
import { mixRow, packIds, packRows, type Row, unpackIds, unpackRows } from "./rows.ts";
import { MEMBERS_MAX, SLEEPERS_MAX } from "./room.ts";
import { MemberTable, SUSPICION_MS_MAX, SUSPICION_MS_MIN } from "./table.ts";
import type { MemberChange, MemberRecord } from "../types.ts";

const SELF = "p0";
const idOf = (peer: string): number => Number(peer.slice(1)) + 1;

/** The table looks at nothing of a record but peer, incarnation and state. */
function signed(peer: string, incarnation: number, state: MemberRecord["state"] = "awake"): SignedRecord {
  const record: MemberRecord = {
    peer,
    incarnation,
    name: peer,
    kind: "tab",
    device: peer,
    host: peer,
    role: "member",
    addresses: [],
    coresLent: 0,
    coresBusy: 0,
    startedAtMs: 0,
    state,
    relayReason: undefined,
    card: undefined,
  };
  return { record, chain: [], notAfterMs: 1e15, wire: new Uint8Array([incarnation]) };
}

function tableOf(self: string = SELF): { table: MemberTable; changes: MemberChange[] } {
  const changes: MemberChange[] = [];
  const table = new MemberTable(self, idOf, (change) => changes.push(change));
  table.apply(signed(self, 1), 0);
  return { table, changes };
}

const state = fc.constantFrom("awake", "asleep", "left") satisfies fc.Arbitrary<MemberRecord["state"]>;
const news = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 }), state), {
  maxLength: 30,
});

function snapshot(table: MemberTable): string[] {
  return table
    .members()
    .map(({ record, status }) => `${record.peer} ${record.incarnation} ${status}`)
    .sort();
}

describe("records", () => {
  test("give the same table in whatever order and however often they come", () => {
    fc.assert(
      fc.property(news, fc.infiniteStream(fc.nat()), (list, chance) => {
        // One record per peer and incarnation, as members sign them.
        const unique = [...new Map(list.map((item) => [`${item[0]} ${item[1]}`, item])).values()];
        const records = unique.map(([peer, incarnation, state]) => signed(`p${peer}`, incarnation, state));
        const first = tableOf();
        const second = tableOf();
        for (const record of records) first.table.apply(record, 0);
        const shuffled = [...records, ...records]
          .map((record) => ({ record, rank: chance.next().value ?? 0 }))
          .sort((a, b) => a.rank - b.rank);
        for (const { record } of shuffled) second.table.apply(record, 0);
        expect(snapshot(second.table)).toEqual(snapshot(first.table));
        expect(second.table.hash).toBe(first.table.hash);
      }),
    );
  });

  test("are told once, with what was before", () => {
    const { table, changes } = tableOf();
    table.apply(signed("p1", 5), 0);
    table.apply(signed("p1", 5), 0);
    table.apply(signed("p1", 4), 0);
    table.apply(signed("p1", 6, "left"), 0);
    expect(changes.slice(1).map(({ member, before }) => [before, member.status])).toEqual([
      [undefined, "awake"],
      ["awake", "gone"],
    ]);
  });

  test("have a hash that depends on the living alone", () => {
    const { table } = tableOf();
    const alone = table.hash;
    table.apply(signed("p1", 5), 0);
    expect(table.hash).not.toBe(alone);
    table.apply(signed("p1", 6, "left"), 0);
    expect(table.hash).toBe(alone);
  });
});

describe("two tables", () => {
  test("hold the same after they have compared, but for those that one holds for dead", () => {
    fc.assert(
      fc.property(news, news, (left, right) => {
        const a = tableOf("p0").table;
        const b = tableOf("p7").table;
        for (const [peer, incarnation, state] of left) a.apply(signed(`p${peer}`, incarnation, state), 0);
        for (const [peer, incarnation] of right) b.apply(signed(`p${peer}`, incarnation, "awake"), 0);
        const { records, want } = b.compare(a.digest(), 0);
        for (const record of records) a.apply(record, 0);
        for (const id of want) {
          const entry = a.byId(id);
          if (entry !== undefined) b.apply(entry.signed, 0);
        }
        for (const { peer, incarnation } of b.members().map(({ record }) => record)) {
          expect(a.get(peer)?.signed.record.incarnation).toBeGreaterThanOrEqual(incarnation);
        }
        for (const { record, status } of a.members()) {
          if (status !== "gone")
            expect(b.get(record.peer)?.signed.record.incarnation).toBeGreaterThanOrEqual(record.incarnation);
        }
      }),
    );
  });

  test("tell each other whom they hold for gone", () => {
    const a = tableOf("p0").table;
    const b = tableOf("p7").table;
    for (const table of [a, b]) table.apply(signed("p1", 5), 0);
    b.bury("p1", 0, { isDoubtful: false });
    expect(b.compare(a.digest(), 0).gone).toEqual([{ id: idOf("p1"), incarnation: 5 }]);
  });

  test("of which one was alone: it takes back whom it buried then", () => {
    const a = tableOf("p0").table;
    const b = tableOf("p7").table;
    for (const table of [a, b]) table.apply(signed("p1", 5), 0);
    b.bury("p1", 0, { isDoubtful: true });
    expect(b.compare(a.digest(), 0).gone).toEqual([]);
    expect(b.get("p1")?.member.status).toBe("awake");
    expect(b.hash).not.toBe(0);
  });
});

describe("a suspicion", () => {
  const row: Row = { id: idOf("p1"), incarnation: 5 };

  test("runs shorter the more share it, and counts nobody twice", () => {
    const { table } = tableOf();
    table.apply(signed("p1", 5), 0);
    expect(table.suspect(row, 11, 0)).toBe(true);
    expect(table.suspect(row, 11, 0)).toBe(false);
    expect(table.due(SUSPICION_MS_MAX - 1, 1)).toEqual([]);
    expect(table.due(SUSPICION_MS_MAX, 1)).toHaveLength(1);
    for (const by of [12, 13, 14]) expect(table.suspect(row, by, 0)).toBe(true);
    expect(table.suspect(row, 15, 0)).toBe(false);
    expect(table.due(SUSPICION_MS_MIN - 1, 1)).toEqual([]);
    expect(table.due(SUSPICION_MS_MIN, 1)).toHaveLength(1);
    expect(table.due(SUSPICION_MS_MIN, 2)).toEqual([]);
  });

  test("runs longer for who has outlived many of late, and as usual again later", () => {
    const { table } = tableOf();
    const runsMs = (beganMs: number): number => {
      for (const by of [11, 12, 13, 14]) table.suspect({ id: idOf("p1"), incarnation }, by, beganMs);
      for (let ms = 0; ; ms += 100) if (table.due(beganMs + ms, 1).length > 0) return ms;
    };
    let incarnation = 1;
    table.apply(signed("p1", 1), 0);
    const usual: number[] = [];
    for (let nowMs = 1_000; nowMs <= 8_000; nowMs += 1_000) {
      usual.push(runsMs(nowMs));
      table.apply(signed("p1", ++incarnation), nowMs);
    }
    expect(usual.slice(0, 3)).toEqual([1, 1, 1].map(() => SUSPICION_MS_MIN));
    expect(usual[6]).toBeGreaterThan(2 * SUSPICION_MS_MIN);
    expect(Math.max(...usual)).toBeLessThanOrEqual(4 * SUSPICION_MS_MIN);
    expect(runsMs(90_000)).toBe(SUSPICION_MS_MIN);
  });

  test("ends with a higher incarnation, before death and after", () => {
    const { table } = tableOf();
    table.apply(signed("p1", 5), 0);
    table.suspect(row, 11, 0);
    expect(table.get("p1")?.member.status).toBe("suspect");
    table.apply(signed("p1", 6), 1);
    expect(table.get("p1")?.member.status).toBe("awake");
    expect(table.due(1e6, 1)).toEqual([]);
    table.bury("p1", 2, { isDoubtful: false });
    expect(table.apply(signed("p1", 6), 3)).toBe(false);
    expect(table.apply(signed("p1", 7), 3)).toBe(true);
    expect(table.get("p1")?.member.status).toBe("awake");
  });

  test("of another incarnation, of a sleeper, of this node or of a stranger is no news", () => {
    const { table } = tableOf();
    table.apply(signed("p1", 5, "asleep"), 0);
    table.apply(signed("p2", 5), 0);
    expect(table.suspect(row, 11, 0)).toBe(false);
    expect(table.suspect({ id: idOf("p2"), incarnation: 4 }, 11, 0)).toBe(false);
    expect(table.suspect({ id: idOf("p2"), incarnation: 6 }, 11, 0)).toBe(false);
    expect(table.suspect({ id: idOf(SELF), incarnation: 1 }, 11, 0)).toBe(false);
    expect(table.suspect({ id: 999, incarnation: 1 }, 11, 0)).toBe(false);
  });
});

describe("the gone", () => {
  test("are kept for a day, and the certificate's end is an end", () => {
    const { table } = tableOf();
    table.apply(signed("p1", 5), 0);
    table.bury("p1", 1_000, { isDoubtful: false });
    table.sweep(86_400_000, 0);
    expect(table.get("p1")?.member.status).toBe("gone");
    table.sweep(86_402_000, 0);
    expect(table.get("p1")).toBeUndefined();
    table.apply(signed("p2", 5), 0);
    table.sweep(0, 2e15);
    expect(table.get("p2")?.member.status).toBe("gone");
    expect(table.get(SELF)?.member.status).toBe("awake");
  });
});

describe("rows", () => {
  test("come back as they were packed", () => {
    const number = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(fc.array(fc.record({ id: number, incarnation: number })), (rows) => {
        expect(unpackRows(packRows(rows))).toEqual(rows);
        expect(unpackIds(packIds(rows.map(({ id }) => id)))).toEqual(rows.map(({ id }) => id));
      }),
    );
  });

  test("mix to numbers that tell neighbours apart", () => {
    const seen = new Set<number>();
    for (let id = 0; id < 100; id++)
      for (let incarnation = 0; incarnation < 100; incarnation++) seen.add(mixRow(id, incarnation));
    expect(seen.size).toBeGreaterThan(9_990);
  });
});

describe("5,050 records of members that are said to be asleep", () => {
  const FORGED = 5_050;
  /** A table that `liar` has told of them all. */
  function flooded(state: MemberRecord["state"] = "asleep"): MemberTable {
    const { table } = tableOf();
    table.apply(signed("p1", 1), 0, "p1");
    table.apply(signed("p2", 1), 0, "p1");
    for (let i = 0; i < FORGED; i++) table.apply(signed(`p${100 + i}`, 1, state), 0, "p9");
    return table;
  }

  test("take the places of nobody: those who come, and those of whom others tell, are let in", () => {
    const table = flooded();
    expect(table.living).toBeLessThanOrEqual(SLEEPERS_MAX + 3);
    expect(table.isNews("p50", 1, { from: "p50", state: "awake" })).toBe(true);
    expect(table.apply(signed("p50", 1), 0, "p50")).toBe(true);
    // Told of by another, asleep as well; and by the liar's own link, awake.
    expect(table.apply(signed("p51", 1, "asleep"), 0, "p1")).toBe(true);
    expect(table.apply(signed("p52", 1), 0, "p9")).toBe(true);
    for (const peer of ["p1", "p2", "p50", "p51", "p52"]) expect(table.get(peer), peer).toBeDefined();
  });

  test("are not asked for again and again", () => {
    const table = flooded();
    const digest = packRows(Array.from({ length: FORGED }, (_, i) => ({ id: idOf(`p${100 + i}`), incarnation: 1 })));
    expect(table.compare(digest, 0).want).toEqual([]);
  });

  test("said to be awake leave room for those who come, and are doubted, the last first", () => {
    const table = flooded("awake");
    expect(table.living).toBeLessThan(MEMBERS_MAX);
    const doubtful = table.doubtful(8);
    expect(doubtful).toHaveLength(8);
    expect(doubtful).not.toContain("p2");
    for (let i = 0; i < 600; i++) expect(table.apply(signed(`p${20_000 + i}`, 1), 0, `p${20_000 + i}`)).toBe(true);
    expect(table.living).toBeLessThanOrEqual(MEMBERS_MAX);
    expect([table.get("p1"), table.get("p2")].every((entry) => entry !== undefined)).toBe(true);
  });

  test("that came one by one over links of their own give way to who comes now", () => {
    const { table } = tableOf();
    for (let i = 0; i < FORGED; i++) {
      const peer = `p${100 + i}`;
      table.apply(signed(peer, 1, "asleep"), 0, peer);
      table.heard(peer);
      table.unheard(peer);
    }
    expect(table.living).toBeLessThanOrEqual(MEMBERS_MAX);
    expect(table.apply(signed("p50", 1), 0, "p50")).toBe(true);
  });
});
