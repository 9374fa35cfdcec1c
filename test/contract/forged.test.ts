/**
 * More than a thousand manifests, releases, chunks and commands that are altered, expired, replayed, misaddressed,
 * older, oversized or signed by the wrong key, for models and configurations alike: an agent does nothing of it, and
 * its central reads why, each time. The same ones in each run.
 */
import { expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, limits } from '../../shared/limits.ts';
import { encodeEnvelope, sign } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import {
  type Command,
  type Manifest,
  payloadTypes,
  type Release,
  type SignedEnvelope,
} from '../../shared/trust/messages.ts';
import { encodeJson, type JsonObject } from '../../shared/trust/strict.ts';
import { encodeChunk } from '../../shared/wire/live.ts';
import { contentFor, entryOf, FLOOR, ForgedSite, type Slot, slots } from '../support/forged-site.ts';
import { seededRandom } from '../support/history.ts';
import { settled } from '../support/timers.ts';
import { madeMs, TestAuthority, type TestKey, testKey } from '../support/trust.ts';

const [MODEL, CONFIGURATION] = slots;
const random = seededRandom(5);
const below = (n: number): number => Math.floor(random() * n);
const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
const authority = new TestAuthority();
const stranger = testKey();
const { model, configuration, rollout, command } = authority.keys;
const ownKey = (slot: Slot): TestKey => (slot === CONFIGURATION ? configuration : model);

/** What is wrong, and the codes that it may be refused with. */
type Flaw<T> = readonly [name: string, codes: string, forge: () => T];

function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[below(bytes.length)]! ^= 1 << below(8);
  return bytes.toString('base64');
}

/** What can be wrong with any signed document. */
function flawsOfEnvelope(good: () => SignedEnvelope, others: readonly TestKey[]): Flaw<Uint8Array>[] {
  const changed = (change: (envelope: SignedEnvelope) => SignedEnvelope) => (): Uint8Array =>
    encodeEnvelope(change(good()));
  const signature = (change: Partial<SignedEnvelope['signatures'][number]>) => (envelope: SignedEnvelope) => ({
    ...envelope,
    signatures: envelope.signatures.map((each) => ({ ...each, ...change })),
  });
  const type = (): string => pick(['application/json', payloadTypes.keys, payloadTypes.command]);
  return [
    [
      'a bit of its payload',
      'signature.invalid payload.invalid',
      changed((envelope) => ({ ...envelope, payload: flipped(envelope.payload) })),
    ],
    [
      'a bit of its signature',
      'signature.invalid payload.invalid',
      changed((envelope) => signature({ sig: flipped(envelope.signatures[0]!.sig) })(envelope)),
    ],
    [
      'another name of the key',
      'signature.invalid',
      changed((envelope) => signature({ keyid: pick(others).keyid })(envelope)),
    ],
    ['no signature', 'signature.invalid payload.invalid', changed((envelope) => ({ ...envelope, signatures: [] }))],
    [
      'another type',
      'signature.invalid payload.invalid',
      changed((envelope) => ({ ...envelope, payloadType: `${type()}x` })),
    ],
    [
      'no end',
      'payload.invalid',
      () => {
        const bytes = encodeEnvelope(good());
        return bytes.subarray(0, 1 + below(bytes.length - 1));
      },
    ],
    [
      'too many signatures',
      'payload.invalid payload.too_large signature.invalid',
      changed((envelope) => ({
        ...envelope,
        signatures: Array.from({ length: 50 }, () => ({
          keyid: stranger.keyid,
          sig: flipped(envelope.signatures[0]!.sig),
        })),
      })),
    ],
    [
      'the wrong key',
      'signature.invalid',
      () => {
        const { payloadType, payload } = good();
        return encodeEnvelope(sign(payloadType, Buffer.from(payload, 'base64'), pick(others)));
      },
    ],
    ['depth', 'payload.invalid payload.too_large', () => Buffer.from('['.repeat(20 + below(1000)))],
  ];
}

const site = new ForgedSite(authority);
const anyManifest = (change: Partial<Manifest> = {}): SignedEnvelope => site.manifest(change);

const manifests: Flaw<Uint8Array>[] = [
  ...flawsOfEnvelope(anyManifest, [stranger, model, configuration, command, authority.root]),
  ['another agent', 'manifest.misaddressed', () => encodeEnvelope(anyManifest({ agent: `b${below(1000)}` }))],
  ['an older version', 'manifest.not_newer', () => encodeEnvelope(anyManifest({ version: 1 + below(FLOOR) }))],
  [
    'an end that is over',
    'manifest.expired',
    () => encodeEnvelope(anyManifest({ notAfterMs: madeMs - 1 - below(DAY_MS) })),
  ],
  [
    'too many bytes',
    'payload.too_large',
    () => encodeEnvelope(anyManifest({ note: 'x'.repeat(limits.controlBytes + below(9999)) } as Partial<Manifest>)),
  ],
  [
    'a slot twice',
    'payload.invalid',
    () => encodeEnvelope(anyManifest({ releases: [site.good[CONFIGURATION], site.good[CONFIGURATION]] })),
  ],
  [
    'too many slots',
    'payload.invalid payload.too_large',
    () =>
      encodeEnvelope(
        anyManifest({
          [pick(['releases', 'shadows'] as const)]: Array.from({ length: 17 + below(9) }, (_, i) => ({
            ...site.good[CONFIGURATION],
            slot: `config/${i}`,
          })),
        }),
      ),
  ],
  [
    'a release of too many bytes',
    'payload.invalid payload.too_large',
    () =>
      encodeEnvelope(anyManifest({ releases: [{ ...site.good[CONFIGURATION], releaseBytes: 16_385 + below(1e6) }] })),
  ],
  [
    'another list of keys',
    'signature.invalid',
    () => encodeEnvelope(anyManifest({ keys: authority.signedKeys(2 + below(9), pick([stranger, rollout])) })),
  ],
  [
    'no whole version',
    'payload.invalid',
    () => encodeEnvelope(anyManifest({ version: pick([0, -1, 1.5, 2 ** 60, '9'] as number[]) })),
  ],
];

/** Contents that are signed and whole, and that no machine should run. */
function contentFlaws(slot: Slot): Flaw<Uint8Array>[] {
  const good = (): Uint8Array => contentFor(slot, 2 + below(1e6));
  const cut = (): Uint8Array => good().subarray(0, 1 + below(20));
  const longer = (): Uint8Array => Buffer.concat([good(), Buffer.from('}')]);
  const common: Flaw<Uint8Array>[] = [
    ['a content without its end', 'payload.invalid', cut],
    ['a content with more behind it', 'payload.invalid', longer],
  ];
  if (slot === MODEL) return common;
  const values = (change: () => JsonObject) => (): Uint8Array => contentFor(slot, 2 + below(1e6), change());
  const local = ['data', 'connection', 'host', 'site', 'managed', 'locked', 'secrets'];
  return [
    ...common,
    [
      'a key that is local only',
      'config.invalid',
      values(() => ({ [pick(local)]: pick([null, 'x', { proc: '/x' }]) })),
    ],
    ['a key that is none', 'config.invalid', values(() => ({ [`key${below(1e6)}`]: 1 }))],
    ['a value out of its bounds', 'config.invalid', values(() => ({ limits: { series: pick([-1, 1e12]) } }))],
    [
      'a secret that is not there',
      'config.invalid',
      values(() => ({ inputs: { modbus: { host: `\${secret:s${below(99)}}` } } })),
    ],
    ['great depth', 'payload.invalid', () => Buffer.from(`{"configuration":1,"values":${'['.repeat(17 + below(99))}`)],
  ];
}

/** Forged releases, each named by a genuine manifest. */
const releases = (slot: Slot): Flaw<{ release: Uint8Array; content: Uint8Array; releaseBytes?: number }>[] => {
  const content = (): Uint8Array => Uint8Array.from({ length: 50 + below(50) }, () => below(256));
  const of = (change: Partial<Release> = {}, by = ownKey(slot)) => {
    const bytes = content();
    return { content: bytes, release: encodeEnvelope(authority.release(bytes, { kind: slot, ...change }, by)) };
  };
  const otherSlot = slot === CONFIGURATION ? MODEL : CONFIGURATION;
  const wrongKeys = [stranger, rollout, command, authority.root, ownKey(otherSlot)];
  const envelopes = flawsOfEnvelope(() => authority.release(content(), { kind: slot }, ownKey(slot)), wrongKeys);
  return [
    ...envelopes.map(
      ([name, codes, forge]) => [name, codes, () => ({ release: forge(), content: new Uint8Array(1) })] as const,
    ),
    ['another slot', 'manifest.misaddressed', () => of({ kind: otherSlot }, ownKey(otherSlot))],
    [
      'another target',
      'manifest.misaddressed',
      () => of({ target: pick([`agent:b${below(99)}`, 'cohort:all', 'cohort:a1']) }),
    ],
    ['another major version', 'manifest.unsupported', () => of({ major: 2 + below(9) })],
    ['other features', 'manifest.unsupported', () => of({ featureVersion: 2 + below(9) })],
    [
      'a content that is too large',
      'payload.invalid payload.too_large',
      () => of({ contentBytes: limits.blobBytes + 1 + below(1e9) }),
    ],
    ['a content of another size', 'blob.mismatch', () => of({ contentBytes: 101 + below(1000) })],
    [
      'a content that is another',
      'blob.mismatch',
      () => {
        const forged = of();
        site.served.set(
          sha256Hex(forged.content),
          Uint8Array.from(forged.content, (byte) => byte ^ 1),
        );
        return { ...forged, content: new Uint8Array(1) };
      },
    ],
    ['more bytes than the manifest says', 'blob.mismatch', () => ({ ...of(), releaseBytes: 1 + below(100) })],
    ['a note that never ends', 'payload.invalid payload.too_large', () => of({ note: 'x'.repeat(1001 + below(9000)) })],
    ...contentFlaws(slot).map(
      ([name, codes, forge]): Flaw<{ release: Uint8Array; content: Uint8Array }> => [
        name,
        codes,
        () => {
          const bytes = forge();
          return { content: bytes, release: encodeEnvelope(authority.release(bytes, { kind: slot }, ownKey(slot))) };
        },
      ],
    ),
    ['no numbers', 'payload.invalid', () => of({ windowMs: pick([-1, 1e12, null, 'x'] as number[]) })],
  ];
};

/** Chunks of a genuine release that change on the way. */
const chunks: Flaw<ForgedSite['tamper']>[] = [
  [
    'a bit',
    'blob.mismatch',
    () => (chunk) =>
      encodeChunk({ ...chunk, data: Buffer.from(flipped(Buffer.from(chunk.data).toString('base64')), 'base64') }),
  ],
  ['fewer bytes', 'blob.mismatch', () => (chunk) => encodeChunk({ ...chunk, data: chunk.data.subarray(1) })],
  [
    'another size of the whole',
    'blob.mismatch',
    () => (chunk) => encodeChunk({ ...chunk, sizeBytes: chunk.sizeBytes + 1 + below(999) }),
  ],
  [
    'another place',
    'blob.mismatch',
    () => (chunk) => encodeChunk({ ...chunk, index: 1, count: 2, sizeBytes: chunk.sizeBytes }),
  ],
];

const anyCommand = (change: Partial<Command> = {}): SignedEnvelope =>
  authority.command(`c${below(1e9)}`, { madeMs: site.nowMs, expiresMs: site.nowMs + 60_000, ...change });
const commands: Flaw<Uint8Array>[] = [
  ...flawsOfEnvelope(anyCommand, [stranger, model, configuration, rollout, authority.root]),
  ['another agent', 'manifest.misaddressed', () => encodeEnvelope(anyCommand({ agent: `b${below(1000)}` }))],
  [
    'an end that is over',
    'manifest.expired',
    () => encodeEnvelope(anyCommand({ expiresMs: site.nowMs - below(DAY_MS) })),
  ],
  [
    'a long life',
    'payload.invalid',
    () => encodeEnvelope(anyCommand({ expiresMs: site.nowMs + HOUR_MS + 1 + below(DAY_MS) })),
  ],
  [
    'what nobody knows',
    'manifest.unsupported',
    () => encodeEnvelope(anyCommand({ what: { reboot: true } as unknown as Command['what'] })),
  ],
  [
    'too many series',
    'payload.invalid payload.too_large',
    () => encodeEnvelope(anyCommand({ what: { watch: Array.from({ length: 300 }, () => '0123456789abcdef') } })),
  ],
  [
    'too many bytes',
    'payload.too_large',
    () => encodeEnvelope(sign(payloadTypes.command, encodeJson({ note: 'x'.repeat(limits.controlBytes) }), command)),
  ],
];

/** The refusals of this moment: each forgery has its own. */
const news = () => site.seen().refusals.filter(({ atMs }) => atMs === site.nowMs);
/** What the agent did, what it holds, and the central's view of it. */
const standing = () => ({ deeds: [...site.deeds], applied: site.seen().applied, done: site.seen().commandsDone });

let forged = 0;
async function refused(about: string, codes: string, work: () => Promise<unknown> | unknown): Promise<void> {
  const before = standing();
  site.nowMs++;
  forged++;
  await work();
  await settled();
  const [newest] = news();
  expect(newest, `${about} ${forged}`).toBeDefined();
  expect(codes.split(' '), `${about} ${forged}: ${newest!.message}`).toContain(newest!.code);
  expect(newest!.message.length, about).toBeGreaterThan(15);
  expect(standing(), `${about} ${forged}`).toEqual(before);
}

it('a thousand and more forgeries: nothing is done of them, and the central reads why of each', async () => {
  await site.start();
  expect(site.deeds.filter((deed) => deed.startsWith('runs'))).toEqual(slots.map((slot) => `runs ${slot}`));
  expect(site.seen().refusals).toEqual([]);
  const first = encodeEnvelope(site.manifest());
  await site.desire(first);

  for (const [name, codes, forge] of manifests) {
    for (let i = 0; i < 20; i++) await refused(`a manifest with ${name}`, codes, () => site.stage.desired(forge()));
  }
  await site.desire(site.manifest());
  for (let i = 0; i < 20; i++) {
    await refused('a replayed manifest', 'manifest.not_newer', () => site.stage.desired(first));
  }

  for (const slot of slots) {
    for (const [name, codes, forge] of releases(slot)) {
      for (const place of ['releases', 'shadows'] as const) {
        for (let i = 0; i < 6; i++) {
          const { release, content, releaseBytes = release.length } = forge();
          site.serve(release, content);
          const entry = { ...entryOf(slot, release), releaseBytes };
          const named = Object.values({ ...site.good, ...(place === 'releases' ? { [slot]: entry } : {}) });
          const shadows = place === 'shadows' ? [entry] : [];
          // Nobody runs two configurations at once.
          const or = slot === CONFIGURATION && place === 'shadows' ? ' manifest.unsupported' : '';
          await refused(`a release for ${slot} in ${place} with ${name}`, codes + or, () =>
            site.desire(site.manifest({ releases: named, shadows })),
          );
        }
      }
    }
    for (const [name, codes, forge] of chunks) {
      for (let i = 0; i < 10; i++) {
        const content = Uint8Array.from({ length: 40 + below(40) }, () => below(256));
        const release = encodeEnvelope(authority.release(content, { kind: slot }, ownKey(slot)));
        site.serve(content, release);
        site.tamper = forge();
        await refused(`a chunk for ${slot} with ${name}`, codes, () =>
          site.desire(site.manifest({ releases: Object.values({ ...site.good, [slot]: entryOf(slot, release) }) })),
        );
        site.tamper = encodeChunk;
      }
    }
  }
  for (let i = 0; i < 20; i++) {
    await refused('no chunk at all', 'payload.invalid payload.too_large', () =>
      site.stage.chunk(Buffer.alloc(below(99), 7)),
    );
  }

  for (const [name, codes, forge] of commands) {
    for (let i = 0; i < 15; i++) {
      await refused(`a command with ${name}`, codes, () => site.stage.commandReceived(forge()));
    }
  }
  expect(forged).toBeGreaterThanOrEqual(1000);

  // It is well all the same: what is genuine is done, a command once however often it comes.
  const genuine = encodeEnvelope(authority.command('right', { madeMs: site.nowMs, expiresMs: site.nowMs + 60_000 }));
  for (let i = 0; i < 3; i++) site.stage.commandReceived(genuine);
  expect(site.deeds.filter((deed) => deed.startsWith('does'))).toEqual(['does right']);
  expect(site.seen().commandsDone).toEqual(['right']);
  const content = contentFor(CONFIGURATION, 2, { window: '10m' });
  const release = encodeEnvelope(authority.release(content, { kind: CONFIGURATION }, configuration));
  site.serve(content, release);
  await site.desire(
    site.manifest({ releases: Object.values({ ...site.good, [CONFIGURATION]: entryOf(CONFIGURATION, release) }) }),
  );
  expect(site.seen().applied).toContainEqual(
    expect.objectContaining({ slot: CONFIGURATION, releaseSha256: sha256Hex(release) }),
  );
});
