import { describe, expect, it } from 'vitest';
import { madeMs, TestAuthority, testKey } from '../../test/support/trust.ts';
import { sign } from './dsse.ts';
import { newerKeyList, reportOfKeyList, verifyBy, verifyKeyList } from './key-list.ts';
import { type KeyList, type PublicKeyEntry, payloadTypes } from './messages.ts';
import { encodeJson } from './strict.ts';

const authority = new TestAuthority();
const root = authority.root.publicKey;

function refusal(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it was accepted');
}

describe('a key list', () => {
  it('is believed when the root signed it, and not below the version in force', () => {
    expect(verifyKeyList(root, authority.signedKeys(3), 3).keys).toHaveLength(4);
    expect(refusal(() => verifyKeyList(root, authority.signedKeys(2), 3)).code).toBe('manifest.not_newer');
    expect(refusal(() => verifyKeyList(testKey().publicKey, authority.signedKeys(), 0)).code).toBe('signature.invalid');
    const byModelKey = authority.signedKeys(9, authority.keys.model);
    expect(refusal(() => verifyKeyList(root, byModelKey, 0)).code).toBe('signature.invalid');
  });

  it('that comes again is the one in force; another of its version is refused', () => {
    const inForce = authority.signedKeys(3);
    expect(newerKeyList(root, inForce, inForce).version).toBe(3);
    expect(newerKeyList(root, authority.signedKeys(4), inForce).version).toBe(4);
    const other = authority.signedKeys(3, authority.root, { keys: [] });
    expect(refusal(() => newerKeyList(root, other, inForce))).toMatchObject({
      code: 'manifest.not_newer',
      message: 'key list 3 is not the key list 3 that is in force',
    });
    expect(refusal(() => newerKeyList(root, authority.signedKeys(2), inForce)).code).toBe('manifest.not_newer');
  });

  it('is told by its version and its exact bytes', () => {
    const told = reportOfKeyList(authority.signedKeys(3), false);
    expect(told).toEqual({ version: 3, sha256: reportOfKeyList(authority.signedKeys(3), true).sha256 });
    expect(reportOfKeyList(authority.signedKeys(3, authority.root, { madeMs }), false).sha256).not.toBe(told.sha256);
  });

  it('with an id that is not its key’s, or a key twice, is refused', () => {
    const [first, second] = authority.keyList().keys;
    const refused = (keys: readonly unknown[]) =>
      refusal(() => verifyKeyList(root, sign(payloadTypes.keys, encodeJson({ version: 1, keys }), authority.root), 0));
    expect(refused([{ ...first, keyid: second!.keyid }]).message).toMatch(/not the id of its key/);
    expect(refused([first, first]).message).toMatch(/twice/);
    expect(refused(Array.from({ length: 33 }, () => first)).message).toMatch(/33 items/);
  });

  it('with roles and fields of a later version is believed as far as it is known', () => {
    const keys = [
      { ...authority.keyList().keys[0], later: true },
      { ...authority.keyList().keys[1], role: 'repair' },
    ];
    const signed = sign(payloadTypes.keys, encodeJson({ version: 5, keys, later: {} }), authority.root);
    expect(verifyKeyList(root, signed, 0).keys.map(({ role }) => role)).toEqual(['model', 'repair']);
  });
});

describe('a key', () => {
  const list = (change: Partial<PublicKeyEntry>, more: Partial<KeyList> = {}): KeyList => ({
    ...authority.keyList(),
    keys: authority.keyList().keys.map((key) => (key.role === 'rollout' ? { ...key, ...change } : key)),
    ...more,
  });
  const bytes = Uint8Array.of(1, 2, 3);
  const check = (keys: KeyList, nowMs: number | null) =>
    verifyBy(sign('t', bytes, authority.keys.rollout), 't', keys, ['rollout'], nowMs);

  it('that expired signs nothing new, by the latest time heard; who heard none goes by versions alone', () => {
    const expiring = list({ notAfterMs: madeMs });
    expect(check(expiring, madeMs)).toEqual(bytes);
    expect(check(expiring, null)).toEqual(bytes);
    expect(refusal(() => check(expiring, madeMs + 1))).toMatchObject({
      code: 'manifest.expired',
      message: expect.stringMatching(/rollout key [0-9a-f]{16}, which expired at 2026-01-01T00:00:00.000Z/),
    });
  });

  it('is not believed before its time, but for a list that was made since', () => {
    const young = { notBeforeMs: madeMs };
    expect(refusal(() => check(list(young), madeMs - 1)).message).toMatch(/not valid before 2026-01-01/);
    expect(check(list(young), madeMs)).toEqual(bytes);
    expect(check(list(young, { madeMs }), madeMs - 1)).toEqual(bytes);
    expect(check(list(young), null)).toEqual(bytes);
  });

  it('that expired beside one that did not harms nothing', () => {
    const next = testKey();
    const both = list({ notAfterMs: madeMs });
    const keys = [...both.keys, { keyid: next.keyid, role: 'rollout' as const, publicKey: next.publicKey }];
    const signed = sign('t', bytes, authority.keys.rollout, next);
    expect(verifyBy(signed, 't', { ...both, keys }, ['rollout'], madeMs + 1)).toEqual(bytes);
  });
});
