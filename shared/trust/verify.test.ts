import { describe, expect, it } from 'vitest';
import { madeMs, notAfterMs, TestAuthority, testKey } from '../../test/support/trust.ts';
import { encodeEnvelope } from './dsse.ts';
import { sha256Hex } from './hash.ts';
import type { Manifest, Release, SignedEnvelope } from './messages.ts';
import { carriedKeys, verifyCommand, verifyManifest, verifyRelease } from './verify.ts';

const authority = new TestAuthority();
const keys = authority.keyList();
const content = new Uint8Array(100).fill(7);
const release = authority.release(content);
const context = { agent: 'a1', floor: 4, keys, nowMs: madeMs };

function refusal(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it was accepted');
}

describe('a key list', () => {
  it('is found in a manifest that is not believed yet', () => {
    expect(carriedKeys(authority.manifest(5, release))).toEqual(authority.signedKeys());
    expect(carriedKeys({ ...release, payload: Buffer.from('{}').toString('base64') })).toBeNull();
  });
});

describe('a manifest', () => {
  it('is accepted just above the floor, by its last millisecond, and without a clock', () => {
    const signed = authority.manifest(5, release);
    expect(verifyManifest(signed, context).version).toBe(5);
    expect(verifyManifest(signed, { ...context, nowMs: notAfterMs }).version).toBe(5);
    expect(verifyManifest(signed, { ...context, nowMs: null }).version).toBe(5);
  });

  it('with a field of a newer version is accepted', () => {
    const change = { later: { of: 'another version' } } as unknown as Partial<Manifest>;
    expect(verifyManifest(authority.manifest(5, release, change), context).agent).toBe('a1');
  });

  const refused: [string, SignedEnvelope, number | null, string, RegExp][] = [
    ['at the floor', authority.manifest(4, release), madeMs, 'manifest.not_newer', /manifest 4 .* floor 4/],
    ['expired', authority.manifest(5, release), notAfterMs + 1, 'manifest.expired', /2026-02-01/],
    ['for another agent', authority.manifest(5, release, { agent: 'a2' }), null, 'manifest.misaddressed', /a2/],
    [
      'signed by a model key',
      authority.manifest(5, release, {}, authority.keys.model),
      null,
      'signature.invalid',
      /not a key/,
    ],
    ['signed by a stranger', authority.manifest(5, release, {}, testKey()), null, 'signature.invalid', /not a key/],
    ['a release in its place', release, null, 'signature.invalid', /signed as/],
    ['with a version of 2^60', authority.manifest(2 ** 60, release), null, 'payload.invalid', /version/],
    ['with a slot twice', withTwice(), null, 'payload.invalid', /twice/],
    ['with a release of 1 GB', withRelease({ releaseBytes: 2 ** 30 }), null, 'payload.invalid', /releaseBytes/],
    ['with a path for a hash', withRelease({ releaseSha256: '../x' }), null, 'payload.invalid', /releaseSha256/],
    ['with a path for a slot', withRelease({ slot: '../../etc' }), null, 'payload.invalid', /slot/],
  ];
  it.each(refused)('%s is refused', (_, envelope, nowMs, code, message) => {
    const error = refusal(() => verifyManifest(envelope, { ...context, nowMs }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  function entry() {
    const bytes = encodeEnvelope(release);
    return { slot: 'model/seasonal', releaseSha256: sha256Hex(bytes), releaseBytes: bytes.length };
  }
  function withRelease(change: object): SignedEnvelope {
    return authority.manifest(5, release, { releases: [{ ...entry(), ...change }] });
  }
  function withTwice(): SignedEnvelope {
    return authority.manifest(5, release, { releases: [entry(), entry()] });
  }
});

describe('a release', () => {
  const supports = [{ kind: 'model/seasonal', major: 1, featureVersion: 1 }];
  const entry = { slot: 'model/seasonal', releaseSha256: 'a'.repeat(64), releaseBytes: 500 };
  const check = (signed: SignedEnvelope, cohorts: string[] = []): Release =>
    verifyRelease(signed, entry, { agent: 'a1', cohorts, keys, supports, nowMs: madeMs });

  it('is accepted for the agent itself and for a cohort that its manifest names', () => {
    expect(check(release).contentBytes).toBe(100);
    expect(check(authority.release(content, { target: 'cohort:web' }), ['web']).target).toBe('cohort:web');
  });

  const refused: [string, SignedEnvelope, string][] = [
    ['for another agent', authority.release(content, { target: 'agent:a2' }), 'manifest.misaddressed'],
    [
      'for a cohort that is not the agent’s',
      authority.release(content, { target: 'cohort:a1' }),
      'manifest.misaddressed',
    ],
    ['of another kind than its slot', authority.release(content, { kind: 'model/other' }), 'manifest.misaddressed'],
    [
      'of a configuration, signed by the model key',
      authority.release(content, { kind: 'config' }),
      'signature.invalid',
    ],
    [
      'of a model, signed by the configuration key',
      authority.release(content, {}, authority.keys.configuration),
      'signature.invalid',
    ],
    ['of a later major version', authority.release(content, { major: 2 }), 'manifest.unsupported'],
    ['on other features', authority.release(content, { featureVersion: 2 }), 'manifest.unsupported'],
    ['with content beyond the limit', authority.release(content, { contentBytes: 2 ** 30 }), 'payload.invalid'],
    ['signed by the rollout key', authority.release(content, {}, authority.keys.rollout), 'signature.invalid'],
  ];
  it.each(refused)('%s is refused', (_, signed, code) => {
    expect(refusal(() => check(signed)).code).toBe(code);
  });
});

describe('a command', () => {
  const now = { agent: 'a1', keys, nowMs: madeMs + 1000 };

  it('is accepted until it expires', () => {
    expect(verifyCommand(authority.command('c1'), now).what).toEqual({ watch: ['0123456789abcdef'] });
    const fetch = { series: ['0123456789abcdef'], fromMs: 5, toMs: 9 };
    expect(verifyCommand(authority.command('c2', { what: { fetch } }), now).what).toEqual({ fetch });
    const mute = { forMs: 7_200_000, rule: 'oom-*', series: null, reason: 'a test', by: 'ann' };
    expect(verifyCommand(authority.command('c3', { what: { mute } }), now).what).toEqual({ mute });
    const unmute = { rule: null, series: 'system.disk.*' };
    expect(verifyCommand(authority.command('c4', { what: { unmute } }), now).what).toEqual({ unmute });
  });

  const tooMany = Array.from({ length: 257 }, () => '0123456789abcdef');
  const forEver = { forMs: 1e12, rule: null, series: null, reason: '', by: '' };
  const refused: [string, SignedEnvelope, string][] = [
    ['that mutes for ever', authority.command('c', { what: { mute: forEver } }), 'payload.invalid'],
    ['that expired', authority.command('c', { expiresMs: madeMs + 1000 }), 'manifest.expired'],
    ['for another agent', authority.command('c', { agent: 'a2' }), 'manifest.misaddressed'],
    ['that never expires', authority.command('c', { expiresMs: madeMs + 1e12 }), 'payload.invalid'],
    ['signed by the rollout key', authority.command('c', {}, authority.keys.rollout), 'signature.invalid'],
    ['for too many series', authority.command('c', { what: { watch: tooMany } }), 'payload.invalid'],
    ['of another version', authority.command('c', { what: { reboot: true } as never }), 'manifest.unsupported'],
  ];
  it.each(refused)('%s is refused', (_, signed, code) => {
    expect(refusal(() => verifyCommand(signed, now)).code).toBe(code);
  });
});
