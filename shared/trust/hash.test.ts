import { expect, test } from 'vitest';
import { identifySeries, seriesId, sha256Hex, tableHash } from './hash.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

test('SHA-256 gives the example of FIPS 180-2', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(sha256Hex(ascii('abc'))).toBe(abc);
  expect(tableHash(ascii('abc'))).toBe(abc.slice(0, 16));
});

test('a series id hashes length-prefixed name, unit and sorted attributes', () => {
  const key = { name: 'm', unit: '1', attributes: { b: 'y', a: 'x' } };
  expect(seriesId(key)).toBe(sha256Hex(ascii('\0\x01m\0\x011\0\x01a\0\x01x\0\x01b\0\x01y')).slice(0, 16));
});

test('the identity is the same on every host and for every order of attributes', () => {
  const here = { name: 'm', unit: '1', attributes: { state: 'idle', cpu: '0', 'host.name': 'here' } };
  const there = { name: 'm', unit: '1', attributes: { 'host.name': 'there', cpu: '0', state: 'idle' } };
  expect(seriesId(here)).toBe(seriesId(there));
  expect(seriesId(here)).not.toBe(seriesId({ ...here, unit: '%' }));
  expect(identifySeries([here])).toEqual([{ ...here, id: seriesId(here) }]);
});
