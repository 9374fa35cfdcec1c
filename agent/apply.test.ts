import { describe, expect, it } from 'vitest';
import { PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { chunkOf } from '../shared/trust/chunks.ts';
import { encodeEnvelope } from '../shared/trust/dsse.ts';
import { sha256Hex } from '../shared/trust/hash.ts';
import type { SignedEnvelope } from '../shared/trust/messages.ts';
import { encodeChunk } from '../shared/wire/live.ts';
import { ManualTimers, settled, silentLog } from '../test/support/timers.ts';
import { madeMs, notAfterMs, TestAuthority, testKey } from '../test/support/trust.ts';
import type { ApplyOptions, ApplyReport, ApplyStore } from './apply/options.ts';
import { ApplyStage } from './apply.ts';

const authority = new TestAuthority();
const slot = 'model/seasonal';

/** An agent's disk. */
class Disk implements ApplyStore {
  state: Uint8Array | null = null;
  readonly blobs = new Map<string, Uint8Array>();
  full = false;
  readState = async () => this.state;
  getBlob = async (hash: string) => this.blobs.get(hash) ?? null;
  async writeState(bytes: Uint8Array): Promise<void> {
    if (this.full) throw new PicketError('disk.full', 'no space');
    this.state = bytes;
  }
  async putBlob(hash: string, bytes: Uint8Array): Promise<void> {
    this.blobs.set(hash, bytes.slice());
  }
  async keepBlobs(kept: ReadonlySet<string>): Promise<void> {
    for (const hash of this.blobs.keys()) if (!kept.has(hash)) this.blobs.delete(hash);
  }
}

/** One start of an agent with a central that serves blobs; each test makes one thing wrong. */
class Site {
  readonly disk: Disk;
  readonly timers = new ManualTimers();
  readonly served = new Map<string, Uint8Array>();
  readonly requests: { hash: string; index: number }[] = [];
  readonly commands: string[] = [];
  readonly stage: ApplyStage;
  running: Uint8Array | null = null;
  reported: ApplyReport | null = null;
  centralMs: number | null = madeMs;
  answering = true;
  activate: ApplyOptions['activate'] = (_, content) => {
    if (content[0] === 0xff) throw new PicketError('payload.invalid', 'scale is NaN');
    this.running = content;
  };

  constructor(disk = new Disk(), change: Partial<ApplyOptions> = {}) {
    this.disk = disk;
    this.stage = new ApplyStage({
      agent: 'a1',
      rootKey: authority.root.publicKey,
      store: disk,
      timers: this.timers,
      log: silentLog,
      supports: [{ kind: slot, major: 1, featureVersion: 1 }],
      centralMs: () => this.centralMs,
      utcMs: () => madeMs,
      requestChunk: (hash, index) => {
        this.requests.push({ hash, index });
        if (this.answering) this.answer(hash, index);
      },
      report: (report) => {
        this.reported = report;
      },
      activate: (...args) => this.activate(...args),
      deactivate: () => {
        this.running = null;
      },
      command: (command) => {
        this.commands.push(command.id);
      },
      ...change,
    });
  }

  answer(hash: string, index: number): void {
    const blob = this.served.get(hash);
    // Under the name that was asked for, whatever it really is.
    const chunk = blob && chunkOf(blob, hash, index);
    if (chunk) this.stage.chunk(encodeChunk(chunk));
  }

  serve(...blobs: Uint8Array[]): void {
    for (const blob of blobs) this.served.set(sha256Hex(blob), blob);
  }

  /** Lets the exchange go on until nothing moves without a longer wait. */
  async exchange(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) {
      await settled();
      this.timers.advance(150);
    }
  }

  async desire(envelope: SignedEnvelope): Promise<void> {
    this.stage.desired(encodeEnvelope(envelope));
    await this.exchange();
  }

  get refusals(): string[] {
    return this.reported?.refusals.map(({ what, code }) => `${what.replace(/[0-9a-f]{64}/, '…')} ${code}`) ?? [];
  }
}

function content(seed: number, size = 2 * limits.chunkBytes + 7): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i + seed) % 250);
}

/** A site that runs version 5 with `good`. */
const good = content(1);
const goodRelease = authority.release(good);
async function runningSite(): Promise<Site> {
  const site = new Site();
  site.serve(good, encodeEnvelope(goodRelease));
  await site.stage.start();
  site.stage.connected();
  await site.desire(authority.manifest(5, goodRelease));
  return site;
}

describe('a desired manifest', () => {
  it('is fetched in chunks, activated, kept and reported', async () => {
    const site = await runningSite();
    expect(site.running).toEqual(good);
    expect(site.requests.map(({ index }) => index)).toEqual([0, 0, 1, 2]);
    expect(site.reported).toMatchObject({
      manifestVersion: 5,
      applied: [{ slot, releaseSha256: sha256Hex(encodeEnvelope(goodRelease)), appliedMs: madeMs }],
      refusals: [],
    });
  });

  it('runs again after a restart, without a connection, and keeps its floor', async () => {
    const { disk } = await runningSite();
    const again = new Site(disk);
    await again.stage.start();
    expect(again.running).toEqual(good);
    expect(again.requests).toEqual([]);
    await again.desire(authority.manifest(5, authority.release(content(2))));
    expect(again.refusals).toEqual(['manifest:5 manifest.not_newer']);
  });

  it('gives a share of the notifications, which holds without a connection and over manifests that say none', async () => {
    const shares: number[] = [];
    const share = (perWeek: number): void => void shares.push(perWeek);
    const site = new Site(new Disk(), { share });
    site.serve(good, encodeEnvelope(goodRelease));
    await site.stage.start();
    expect(shares).toEqual([]);
    await site.desire(authority.manifest(5, goodRelease, { notificationsPerWeek: 0.25 }));
    await site.desire(authority.manifest(6, goodRelease));
    await site.desire(authority.manifest(7, goodRelease, { notificationsPerWeek: -1 }));
    await site.desire(authority.manifest(4, goodRelease, { notificationsPerWeek: 9 }));
    expect(site.refusals).toEqual(['manifest:4 manifest.not_newer', 'manifest payload.invalid']);
    expect(new Set(shares)).toEqual(new Set([0.25]));
    shares.length = 0;
    await new Site(site.disk, { share }).stage.start();
    expect(shares).toEqual([0.25]);
  });

  it('that comes again with each connection is neither fetched again nor refused', async () => {
    const site = await runningSite();
    const before = site.requests.length;
    const signed = authority.manifest(5, goodRelease);
    site.stage.connected();
    await site.desire(signed);
    expect(site.requests).toHaveLength(before);
    expect(site.refusals).toEqual([]);
  });

  it('above the floor that names an older release rolls back, from the disk', async () => {
    const site = await runningSite();
    const next = content(2);
    const nextRelease = authority.release(next);
    site.serve(next, encodeEnvelope(nextRelease));
    await site.desire(authority.manifest(6, nextRelease));
    expect(site.running).toEqual(next);
    site.requests.length = 0;
    await site.desire(authority.manifest(7, goodRelease));
    expect(site.running).toEqual(good);
    expect(site.requests).toEqual([]);
    expect(site.reported?.manifestVersion).toBe(7);
  });

  it('that no longer names a slot ends what ran there', async () => {
    const site = await runningSite();
    await site.desire(authority.manifest(6, goodRelease, { releases: [] }));
    expect(site.running).toBeNull();
    expect(site.reported?.applied).toEqual([]);
    expect(site.disk.blobs.size).toBe(0);
  });

  it('carries a newer list of keys, after which the old keys sign nothing any more', async () => {
    const site = await runningSite();
    const newer = new TestAuthority();
    Object.assign(newer, { root: authority.root });
    const next = content(2);
    const nextRelease = newer.release(next);
    site.serve(next, encodeEnvelope(nextRelease));
    await site.desire(newer.manifest(6, nextRelease, { keys: newer.signedKeys(2) }));
    expect(site.running).toEqual(next);
    await site.desire(authority.manifest(7, goodRelease));
    expect(site.refusals).toEqual(['keys manifest.not_newer']);
    const { keys: _, ...without } = JSON.parse(
      Buffer.from(authority.manifest(7, goodRelease).payload, 'base64').toString(),
    );
    await site.desire(authority.manifest(7, goodRelease, { ...without, keys: undefined }));
    expect(site.refusals[0]).toBe('manifest signature.invalid');
    expect(site.running).toEqual(next);
  });
});

describe('a refused manifest leaves what runs and says why', () => {
  const other = authority.release(content(2));
  const altered = authority.manifest(6, other);
  const bytes = Buffer.from(altered.payload, 'base64').toString().replace('"version":6', '"version":9');
  const cases: [string, SignedEnvelope, string][] = [
    ['forged', authority.manifest(6, other, {}, testKey()), 'manifest signature.invalid'],
    ['altered', { ...altered, payload: Buffer.from(bytes).toString('base64') }, 'manifest signature.invalid'],
    ['expired', authority.manifest(6, other, { notAfterMs: madeMs - 1 }), 'manifest:6 manifest.expired'],
    ['misaddressed', authority.manifest(6, other, { agent: 'a2' }), 'manifest:6 manifest.misaddressed'],
    ['older', authority.manifest(4, other), 'manifest:4 manifest.not_newer'],
    ['oversized', authority.manifest(6, other, { cohorts: ['x'.repeat(60_000)] }), 'manifest payload.too_large'],
    [
      'with keys of another root',
      authority.manifest(6, other, { keys: new TestAuthority().signedKeys() }),
      'keys signature.invalid',
    ],
    ['not a manifest', other, 'manifest signature.invalid'],
  ];
  it.each(cases)('%s', async (_, envelope, refusal) => {
    const site = await runningSite();
    const state = site.disk.state;
    await site.desire(envelope);
    expect(site.refusals).toEqual([refusal]);
    expect(site.reported?.refusals[0]?.message).toMatch(/.{20}/);
    expect(site.running).toEqual(good);
    expect(site.disk.state).toEqual(state);
    expect(site.reported?.manifestVersion).toBe(5);
  });

  it('and is accepted when it expired by a clock that nobody vouches for', async () => {
    const site = await runningSite();
    site.centralMs = null;
    await site.desire(authority.manifest(6, goodRelease, { notAfterMs: madeMs - 1 }));
    expect(site.reported?.manifestVersion).toBe(6);
  });

  it('in a list that stays short, without repetitions', async () => {
    const site = await runningSite();
    for (let i = 0; i < 30; i++) await site.stage.chunk(Uint8Array.of(i));
    for (let version = 1; version < 30; version++) await site.desire(authority.manifest(version % 5, other));
    expect(site.refusals.length).toBeLessThanOrEqual(20);
    expect(new Set(site.reported?.refusals.map(({ what, message }) => what + message)).size).toBe(site.refusals.length);
  });
});

describe('a refused release leaves what runs and says why', () => {
  const next = content(2);
  const cases: [string, SignedEnvelope, string][] = [
    ['forged', authority.release(next, {}, testKey()), 'signature.invalid'],
    ['signed by the key for manifests', authority.release(next, {}, authority.keys.rollout), 'signature.invalid'],
    ['for another agent', authority.release(next, { target: 'agent:a2' }), 'manifest.misaddressed'],
    ['for a cohort that is not its own', authority.release(next, { target: 'cohort:x' }), 'manifest.misaddressed'],
    ['of another kind', authority.release(next, { kind: 'model/other' }), 'manifest.misaddressed'],
    ['that it can’t run', authority.release(next, { major: 2 }), 'manifest.unsupported'],
    ['that would take 1 GB', authority.release(next, { contentBytes: 2 ** 30 }), 'payload.invalid'],
    ['that lies about its size', authority.release(next, { contentBytes: 10 }), 'blob.mismatch'],
    ['that what runs it refuses', authority.release(Uint8Array.of(0xff, 1)), 'payload.invalid'],
  ];
  it.each(cases)('%s', async (_, release, code) => {
    const site = await runningSite();
    site.serve(next, encodeEnvelope(release), Uint8Array.of(0xff, 1));
    await site.desire(authority.manifest(6, release));
    expect(site.refusals).toEqual([`release:… ${code}`]);
    expect(site.running).toEqual(good);
    expect(site.reported?.applied[0]?.releaseSha256).toBe(sha256Hex(encodeEnvelope(goodRelease)));
    // and a restart comes up with it
    const again = new Site(site.disk);
    await again.stage.start();
    expect(again.running).toEqual(good);
  });

  it('and is not fetched again with each connection', async () => {
    const site = await runningSite();
    const release = authority.release(next, { major: 2 });
    site.serve(encodeEnvelope(release));
    await site.desire(authority.manifest(6, release));
    const before = site.requests.length;
    site.stage.connected();
    await site.exchange();
    expect(site.requests).toHaveLength(before);
  });
});

describe('content', () => {
  const next = content(2);
  const release = authority.release(next);
  const name = sha256Hex(next);
  const withNext = async (): Promise<Site> => {
    const site = await runningSite();
    site.serve(next, encodeEnvelope(release));
    return site;
  };

  it('altered on the way is fetched once more, then refused, and tried again with the next connection', async () => {
    const site = await withNext();
    const altered = next.slice();
    altered[40_000]! ^= 1;
    site.served.set(name, altered);
    await site.desire(authority.manifest(6, release));
    expect(site.requests.filter(({ hash }) => hash === name)).toHaveLength(6);
    expect(site.refusals).toEqual(['release:… blob.mismatch']);
    expect(site.running).toEqual(good);
    site.served.set(name, next);
    site.stage.connected();
    await site.exchange();
    expect(site.running).toEqual(next);
  });

  it('in chunks of another size than signed, or in no chunk at all, is refused', async () => {
    const site = await withNext();
    site.served.set(name, content(2, 3 * limits.chunkBytes));
    await site.desire(authority.manifest(6, release));
    expect(site.refusals).toEqual(['release:… blob.mismatch']);
    site.stage.chunk(new Uint8Array(70_000));
    expect(site.refusals[0]).toMatch(/^chunk payload\./);
    expect(site.running).toEqual(good);
  });

  it('is resumed where it stood after the connection was lost', async () => {
    const site = await withNext();
    site.answering = false;
    await site.desire(authority.manifest(6, release));
    site.answer(sha256Hex(encodeEnvelope(release)), 0);
    await site.exchange();
    site.answer(name, 0);
    await site.exchange();
    site.requests.length = 0;
    site.answering = true;
    site.stage.connected();
    await site.exchange();
    expect(site.requests.map(({ index }) => index)).toEqual([1, 2]);
    expect(site.running).toEqual(next);
  });

  it('is asked for again with growing pauses', async () => {
    const site = await withNext();
    site.answering = false;
    site.stage.desired(encodeEnvelope(authority.manifest(6, release)));
    const asked: number[] = [];
    for (let second = 0; second < 40; second++) {
      await settled();
      if (site.requests.length > asked.length + 4) asked.push(second);
      site.timers.advance(1000);
    }
    expect(asked).toEqual([0, 5, 15, 35]);
  });

  it('no longer wanted is no longer fetched when a newer manifest comes', async () => {
    const site = await withNext();
    site.answering = false;
    await site.desire(authority.manifest(6, release));
    site.answering = true;
    const newest = content(3);
    const newestRelease = authority.release(newest);
    site.serve(newest, encodeEnvelope(newestRelease));
    await site.desire(authority.manifest(7, newestRelease));
    expect(site.running).toEqual(newest);
    expect(site.requests.some(({ hash }) => hash === name)).toBe(false);
  });

  it('is fetched after a restart in the middle, without the manifest coming again', async () => {
    const site = await withNext();
    site.answering = false;
    await site.desire(authority.manifest(6, release));
    await site.stage.stop();
    const again = new Site(site.disk);
    again.serve(next, encodeEnvelope(release));
    await again.stage.start();
    expect(again.running).toEqual(good);
    again.stage.connected();
    await again.exchange();
    expect(again.running).toEqual(next);
  });
});

describe('the disk', () => {
  it('with a damaged blob brings up the release before, and says so', async () => {
    const site = await runningSite();
    const next = content(2);
    const release = authority.release(next);
    site.serve(next, encodeEnvelope(release));
    await site.desire(authority.manifest(6, release));
    site.disk.blobs.get(sha256Hex(next))![5]! ^= 1;
    const again = new Site(site.disk);
    await again.stage.start();
    expect(again.running).toEqual(good);
    expect(again.refusals).toEqual(['release:… blob.mismatch']);
    again.serve(next);
    again.stage.connected();
    await again.exchange();
    expect(again.running).toEqual(next);
  });

  it('that is full refuses the manifest and goes on when there is room', async () => {
    const site = await runningSite();
    site.disk.full = true;
    const signed = authority.manifest(6, goodRelease);
    await site.desire(signed);
    expect(site.refusals).toEqual(['manifest:6 disk.full']);
    site.disk.full = false;
    await site.desire(signed);
    expect(site.reported?.manifestVersion).toBe(6);
  });

  it('that fills up between activating and keeping goes back to what a restart would run', async () => {
    const site = await runningSite();
    const next = content(2);
    const release = authority.release(next);
    site.serve(next, encodeEnvelope(release));
    const { activate } = site;
    site.activate = (...args) => {
      site.disk.full = args[1].length === next.length && args[1][0] === next[0];
      return activate(...args);
    };
    await site.desire(authority.manifest(6, release));
    expect(site.refusals).toEqual(['release:… disk.full']);
    expect(site.running).toEqual(good);
  });

  it('with a state that cannot be read starts empty and says so', async () => {
    const { disk } = await runningSite();
    disk.state = Uint8Array.of(1, 2, 3);
    const again = new Site(disk);
    await again.stage.start();
    expect(again.running).toBeNull();
    expect(again.refusals).toEqual(['start payload.invalid']);
  });

  it('of another enrolment counts for nothing', async () => {
    const { disk } = await runningSite();
    const moved = new Site(disk, { rootKey: testKey().publicKey });
    await moved.stage.start();
    expect(moved.running).toBeNull();
    expect(moved.stage.status().manifestVersion).toBe(0);
  });
});

describe('a command', () => {
  const send = (site: Site, envelope: SignedEnvelope) => site.stage.commandReceived(encodeEnvelope(envelope));

  it('is done once, however often it comes, and reported', async () => {
    const site = await runningSite();
    send(site, authority.command('c1'));
    send(site, authority.command('c1'));
    expect(site.commands).toEqual(['c1']);
    expect(site.reported?.commandsDone).toEqual(['c1']);
    site.centralMs = madeMs + 120_000;
    send(site, authority.command('c2', { expiresMs: madeMs + 180_000 }));
    expect(site.reported?.commandsDone).toEqual(['c2']);
  });

  const cases: [string, SignedEnvelope, string][] = [
    ['expired', authority.command('c', { expiresMs: madeMs }), 'command manifest.expired'],
    ['misaddressed', authority.command('c', { agent: 'a2' }), 'command manifest.misaddressed'],
    ['forged', authority.command('c', {}, testKey()), 'command signature.invalid'],
  ];
  it.each(cases)('%s is refused', async (_, envelope, refusal) => {
    const site = await runningSite();
    send(site, envelope);
    expect(site.commands).toEqual([]);
    expect(site.refusals).toEqual([refusal]);
  });

  it('waits for the central’s time, without which expiry can’t be judged', async () => {
    const site = await runningSite();
    site.centralMs = null;
    send(site, authority.command('c1', { expiresMs: notAfterMs }));
    expect(site.commands).toEqual([]);
    expect(site.refusals).toEqual([]);
  });

  it('beyond what can be remembered is refused', async () => {
    const site = await runningSite();
    for (let i = 0; i < 200; i++) send(site, authority.command(`c${i}`));
    expect(site.commands).toHaveLength(128);
    expect(site.refusals[0]).toBe('command:c199 payload.too_large');
  });
});
