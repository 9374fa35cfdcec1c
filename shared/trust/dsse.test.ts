import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope, keyIdOf, parseEnvelope, preAuthEncoding, publicKeyText, sign, verify } from './dsse.ts';
import type { PublicKeyEntry, SignedEnvelope } from './messages.ts';

function makeKey(): { key: { keyid: string; privateKey: import('node:crypto').KeyObject }; entry: PublicKeyEntry } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = publicKeyText(privateKey);
  const keyid = keyIdOf(publicKey);
  return { key: { keyid, privateKey }, entry: { keyid, role: 'model', publicKey } };
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const type = 'application/x';
const one = makeKey();
const two = makeKey();

describe('the pre-authentication encoding', () => {
  it('is that of the published vector', () => {
    // https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
    expect(text(preAuthEncoding('http://example.com/HelloWorld', bytesOf('hello world')))).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  it('counts bytes, not characters', () => {
    expect(text(preAuthEncoding('ä', bytesOf('ö')))).toBe('DSSEv1 2 ä 2 ö');
  });
});

describe('an envelope', () => {
  it('gives back exactly the bytes that one of the keys signed, through its JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const envelope = parseEnvelope(encodeEnvelope(sign(type, bytes, two.key, one.key)), 'envelope');
        expect(verify(envelope, type, [one.entry])).toEqual(bytes);
      }),
      { numRuns: 30 },
    );
  });

  const signed = sign(type, bytesOf('{"a":1}'), one.key);
  const flippedSignature = Buffer.from(signed.signatures[0]!.sig, 'base64');
  flippedSignature[3]! ^= 1;
  const refused: [string, SignedEnvelope, string, PublicKeyEntry[], RegExp][] = [
    ['another payload', { ...signed, payload: btoa('{"a":2}') }, type, [one.entry], /altered/],
    ['another type than is asked for', signed, 'application/y', [one.entry], /signed as application\/x/],
    ['a changed type', { ...signed, payloadType: 'application/y' }, 'application/y', [one.entry], /altered/],
    ['a key that is not trusted', signed, type, [two.entry], /not a key trusted/],
    ['no signature', { ...signed, signatures: [] }, type, [one.entry], /nobody/],
    [
      'a signature under the id of a trusted key',
      { ...signed, signatures: [{ keyid: two.entry.keyid, sig: signed.signatures[0]!.sig }] },
      type,
      [two.entry],
      /altered/,
    ],
    [
      'a flipped bit in the signature',
      { ...signed, signatures: [{ keyid: one.key.keyid, sig: flippedSignature.toString('base64') }] },
      type,
      [one.entry],
      /altered/,
    ],
    ['base64 that is not canonical', { ...signed, payload: `${signed.payload}\n` }, type, [one.entry], /canonical/],
    [
      'a short signature',
      { ...signed, signatures: [{ keyid: one.key.keyid, sig: 'AAAA' }] },
      type,
      [one.entry],
      /altered/,
    ],
  ];
  it.each(refused)('is refused with %s', (_, envelope, asked, keys, message) => {
    expect(() => verify(envelope, asked, keys)).toThrow(
      expect.objectContaining({ code: 'signature.invalid', message: expect.stringMatching(message) }),
    );
  });

  it('is bounded in size, depth and number of signatures before it is believed', () => {
    const big = encodeEnvelope(sign(type, new Uint8Array(60_000), one.key));
    expect(() => parseEnvelope(big, 'manifest')).toThrow(expect.objectContaining({ code: 'payload.too_large' }));
    const deep = bytesOf('['.repeat(5000));
    expect(() => parseEnvelope(deep, 'manifest')).toThrow(/nested deeper/);
    const many = { ...signed, signatures: Array.from({ length: 100 }, () => signed.signatures[0]!) };
    expect(() => parseEnvelope(encodeEnvelope(many), 'manifest')).toThrow(/100 items/);
  });

  it('from any bytes at all fails with a code and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.json().map(bytesOf)), (bytes) => {
        expect(() => parseEnvelope(bytes, 'envelope')).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^payload\./) }),
        );
      }),
    );
  });
});
