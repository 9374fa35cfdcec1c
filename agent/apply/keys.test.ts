/** Keys at an agent: which list counts, over restarts and with enrolments of every age; and a thousand misuses. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../shared/limits.ts';
import { chunkOf } from '../../shared/trust/chunks.ts';
import { encodeEnvelope } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { KeyList, SignedEnvelope } from '../../shared/trust/messages.ts';
import { encodeChunk } from '../../shared/wire/live.ts';
import { ManualTimers, settled, silentLog } from '../../test/support/timers.ts';
import { madeMs, notAfterMs, TestAuthority, testKey } from '../../test/support/trust.ts';
import { ApplyStage } from '../apply.ts';
import type { ApplyOptions, ApplyReport, ApplyStore } from './options.ts';

const authority = new TestAuthority();
const content = Uint8Array.from({ length: 100 }, (_, i) => i);
const release = authority.release(content);

class Disk implements ApplyStore {
  state: Uint8Array | null = null;
  readonly blobs = new Map<string, Uint8Array>();
  readState = async () => this.state;
  getBlob = async (hash: string) => this.blobs.get(hash) ?? null;
  keepBlobs = async () => {};
  async writeState(bytes: Uint8Array): Promise<void> {
    this.state = bytes;
  }
  async putBlob(hash: string, bytes: Uint8Array): Promise<void> {
    this.blobs.set(hash, bytes.slice());
  }
}

class Site {
  readonly disk: Disk;
  readonly stage: ApplyStage;
  readonly timers = new ManualTimers();
  readonly served = new Map<string, Uint8Array>();
  readonly commands: string[] = [];
  /** Of every refusal since the start, by the report that told it. */
  readonly told = new Map<string, string>();
  reported: ApplyReport | null = null;
  running: Uint8Array | null = null;
  centralMs: number | null = madeMs;

  constructor(disk = new Disk(), change: Partial<ApplyOptions> = {}) {
    this.disk = disk;
    for (const blob of [content, encodeEnvelope(release)]) this.served.set(sha256Hex(blob), blob);
    this.stage = new ApplyStage({
      agent: 'a1',
      rootKey: authority.root.publicKey,
      store: disk,
      timers: this.timers,
      log: silentLog,
      supports: [{ kind: 'model/seasonal', major: 1, featureVersion: 1 }],
      centralMs: () => this.centralMs,
      utcMs: () => madeMs,
      requestChunk: (hash, index) => {
        const chunk = chunkOf(this.served.get(hash) ?? new Uint8Array(1), hash, index);
        if (chunk) this.stage.chunk(encodeChunk(chunk));
      },
      report: (report) => {
        this.reported = report;
        for (const { what, code, message } of report.refusals) this.told.set(`${what} ${code} ${message}`, code);
      },
      activate: (_, bytes) => {
        this.running = bytes;
      },
      deactivate: () => {
        this.running = null;
      },
      command: ({ id }) => this.commands.push(id),
      ...change,
    });
  }

  async desire(envelope: SignedEnvelope | Uint8Array): Promise<void> {
    this.stage.desired(envelope instanceof Uint8Array ? envelope : encodeEnvelope(envelope));
    for (let turn = 0; turn < 8; turn++) {
      await settled();
      this.timers.advance(150);
    }
  }
}

async function started(disk?: Disk, change?: Partial<ApplyOptions>): Promise<Site> {
  const site = new Site(disk, change);
  await site.stage.start();
  site.stage.connected();
  return site;
}

const carrying = (version: number, keys: SignedEnvelope) => authority.manifest(version, release, { keys });

describe('the list of keys', () => {
  it('keeps its floor over a restart: an older one, and another of its version, are refused', async () => {
    const { disk } = await (async () => {
      const site = await started();
      await site.desire(carrying(5, authority.signedKeys(4)));
      expect(site.reported?.keyList).toMatchObject({ version: 4 });
      return site;
    })();
    const again = await started(disk);
    await again.desire(carrying(6, authority.signedKeys(3)));
    await again.desire(carrying(7, authority.signedKeys(4, authority.root, { madeMs })));
    expect([...again.told.values()]).toEqual(['manifest.not_newer', 'manifest.not_newer']);
    expect(again.reported?.manifestVersion).toBe(5);
    await again.desire(carrying(8, authority.signedKeys(4)));
    expect(again.reported?.manifestVersion).toBe(8);
  });

  it('is shown whole to a central that sent an older one, until it sends a newer', async () => {
    const site = await started();
    const inForce = authority.signedKeys(4);
    await site.desire(carrying(5, inForce));
    expect(site.reported?.keyList?.envelope).toBeUndefined();
    await site.desire(carrying(6, authority.signedKeys(1)));
    expect(site.reported?.keyList?.envelope).toEqual(inForce);
    await site.desire(carrying(7, authority.signedKeys(5)));
    expect(site.reported?.keyList).toMatchObject({ version: 5 });
    expect(site.reported?.keyList?.envelope).toBeUndefined();
  });

  it('comes with the enrolment, so that what it lets pass passes before any manifest', async () => {
    const site = await started(undefined, { enrolledKeys: authority.signedKeys(3) });
    expect(site.reported?.keyList).toMatchObject({ version: 3 });
    site.stage.commandReceived(encodeEnvelope(authority.command('c1')));
    expect(site.commands).toEqual(['c1']);
    await site.desire(carrying(5, authority.signedKeys(2)));
    expect([...site.told.values()]).toEqual(['manifest.not_newer']);
  });

  it('of an old enrolment never takes the place of what came since', async () => {
    const { disk } = await started(undefined, { enrolledKeys: authority.signedKeys(6) });
    const again = await started(disk, { enrolledKeys: authority.signedKeys(2) });
    expect(again.reported?.keyList).toMatchObject({ version: 6 });
    expect(again.reported?.refusals).toEqual([]);
  });

  it('is taken up by an agent that was enrolled before lists came with enrolments', async () => {
    const site = await started();
    expect(site.reported?.keyList).toBeUndefined();
    await site.desire(carrying(5, authority.signedKeys(1)));
    expect(site.running).toEqual(content);
    expect(site.reported?.keyList).toMatchObject({ version: 1 });
  });

  it('forged in an enrolment is refused and told, and the agent goes on without', async () => {
    const site = await started(undefined, { enrolledKeys: authority.signedKeys(3, testKey()) });
    expect([...site.told.values()]).toEqual(['signature.invalid']);
    await site.desire(carrying(5, authority.signedKeys(1)));
    expect(site.running).toEqual(content);
  });
});

describe('a key that expired', () => {
  const expiring = (role: string): Partial<KeyList> => ({
    keys: authority.keyList().keys.map((key) => (key.role === role ? { ...key, notAfterMs: madeMs } : key)),
  });

  it.each(['rollout', 'model'])('%s: what runs runs on, also after a restart; nothing new is taken', async (role) => {
    const site = await started();
    await site.desire(carrying(5, authority.signedKeys(2, authority.root, expiring(role))));
    expect(site.running).toEqual(content);
    const again = new Site(site.disk);
    again.centralMs = madeMs + 1;
    await again.stage.start();
    again.stage.connected();
    expect(again.running).toEqual(content);
    const other = Uint8Array.of(1, 2, 3);
    const newer = authority.release(other);
    for (const blob of [other, encodeEnvelope(newer)]) again.served.set(sha256Hex(blob), blob);
    await again.desire(authority.manifest(6, newer, { keys: authority.signedKeys(2, authority.root, expiring(role)) }));
    expect(again.running).toEqual(content);
    expect([...again.told.values()]).toEqual(['manifest.expired']);
  });
});

describe('a thousand misuses', () => {
  it('are all refused, each with its reason told, and what runs runs on', async () => {
    const site = await started();
    site.centralMs = notAfterMs - 1000;
    const lists = authority.signedKeys(4);
    await site.desire(carrying(500, lists));
    expect(site.running).toEqual(content);
    const before = JSON.stringify(site.stage.status());
    const stranger = testKey();
    const altered = (envelope: SignedEnvelope, at: number): SignedEnvelope => {
      const bytes = Buffer.from(envelope.payload, 'base64');
      bytes[at % bytes.length]! ^= 1 << (at % 8);
      return { ...envelope, payload: bytes.toString('base64') };
    };
    const big = { note: 'x'.repeat(limits.controlBytes) };
    const kinds: readonly (readonly [codes: string, make: (i: number) => SignedEnvelope | Uint8Array])[] = [
      // An altered bit in a list's place may make it none at all, which is seen first.
      [
        'signature.invalid payload.invalid',
        (i) => altered(authority.manifest(1000 + i, release, { keys: lists }), i * 7),
      ],
      ['signature.invalid', (i) => authority.manifest(1000 + i, release, { keys: lists }, stranger)],
      ['signature.invalid', (i) => authority.manifest(1000 + i, release, { keys: lists }, authority.keys.model)],
      ['manifest.expired', (i) => authority.manifest(1000 + i, release, { keys: lists, notAfterMs: madeMs + i })],
      ['manifest.not_newer', (i) => authority.manifest(1 + i, release, { keys: lists })],
      ['manifest.misaddressed', (i) => authority.manifest(1000 + i, release, { keys: lists, agent: `b${i}` })],
      ['payload.too_large', (i) => authority.manifest(1000 + i, release, { keys: lists, ...big })],
      ['manifest.not_newer', (i) => carrying(1000 + i, authority.signedKeys(1 + (i % 3)))],
      ['manifest.not_newer', (i) => carrying(1000 + i, authority.signedKeys(4, authority.root, { madeMs: i }))],
      ['signature.invalid', (i) => carrying(1000 + i, authority.signedKeys(5 + i, stranger))],
      ['signature.invalid', (i) => carrying(1000 + i, altered(authority.signedKeys(5 + i), i * 3))],
      ['payload.invalid', (i) => Buffer.from('{"payloadType": 1'.repeat(i + 1))],
    ];
    const each = 80;
    for (const [codes, make] of kinds) {
      for (let i = 0; i < each; i++) {
        const bad = make(i);
        site.stage.desired(bad instanceof Uint8Array ? bad : encodeEnvelope(bad));
        await site.stage.idle();
        const newest = site.reported!.refusals[0]!;
        expect(codes.split(' '), `${codes} ${i}: ${newest.message}`).toContain(newest.code);
        expect(newest.message.length).toBeGreaterThan(20);
      }
    }
    const chunks = 60;
    const right = encodeChunk(chunkOf(content, sha256Hex(content), 0)!);
    for (let i = 0; i < chunks; i++) {
      // Cut off, or one that nobody asked for.
      site.stage.chunk(i % 2 === 0 ? right.subarray(0, i) : right);
    }
    expect(site.reported!.refusals.filter(({ what }) => what === 'chunk').length).toBeGreaterThan(0);
    expect(kinds.length * each + chunks).toBeGreaterThanOrEqual(1000);
    const after = site.stage.status();
    expect(JSON.stringify({ ...after, refusals: [], keyList: 0 })).toBe(
      JSON.stringify({ ...(JSON.parse(before) as object), refusals: [], keyList: 0 }),
    );
    expect(after.keyList).toMatchObject({ version: 4 });
    expect(site.running).toEqual(content);
    const restarted = await started(site.disk);
    expect(restarted.stage.status()).toMatchObject({ manifestVersion: 500, keyList: { version: 4 } });
  });
});
