import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyGroupVerdict, type GroupModelParams, scoreGroup, startGroupModel } from '../detect/group-model.ts';
import { trainReference } from '../detect/group-reference.ts';
import { addCoMoments, startCoMoments } from '../math/comoments.ts';
import { decodeGroupModel, encodeGroupModel } from './group-model.ts';

const tail = { threshold: 1.5, share: 0.0625, scale: 0.25, shape: 0.125 };

function paramsOf(size: number): GroupModelParams {
  const set = startCoMoments(size);
  for (let r = 0; r < 40; r++) {
    addCoMoments(
      set,
      Float64Array.from({ length: size }, (_, i) => Math.sin(r * (i % 7) + i) + (r % 5)),
    );
  }
  return {
    members: Array.from({ length: size }, (_, i) => (i + 1).toString(16).padStart(16, '0')),
    reference: trainReference(set),
    t2: tail,
    spe: { ...tail, threshold: 2 },
    capBits: 16,
    findingBits: 12.5,
  };
}

const modelOf = (params: GroupModelParams) => ({ windowMs: 60_000, groups: new Map([['pump', params]]) });

describe('a model of groups on the wire', () => {
  test('is what was trained, to single precision', () => {
    const params = paramsOf(12);
    const { windowMs, groups } = decodeGroupModel(
      encodeGroupModel({
        windowMs: 60_000,
        groups: new Map([
          ['b', params],
          ['', params],
        ]),
      }),
    );
    expect(windowMs).toBe(60_000);
    expect([...groups.keys()]).toEqual(['', 'b']);
    const read = groups.get('b')!;
    const { eigenvalues, loadings, ...exact } = params.reference;
    expect(read).toMatchObject({
      members: params.members,
      t2: params.t2,
      spe: params.spe,
      capBits: 16,
      findingBits: 12.5,
    });
    expect(read.reference).toMatchObject(exact);
    eigenvalues.forEach((value, r) => {
      expect(Math.abs(read.reference.eigenvalues[r]! - value)).toBeLessThan(1e-6);
      loadings[r]!.forEach((loading, i) => {
        expect(Math.abs(read.reference.loadings[r]![i]! - loading)).toBeLessThan(1e-6);
      });
    });
  });

  test('of 64 series is 19 KB at most', () => {
    expect(encodeGroupModel(modelOf(paramsOf(64))).length).toBeLessThan(19_000);
  });

  test.each([
    ['a tail of no width', { t2: { ...tail, scale: 0 } }],
    ['a tail without a share', { spe: { ...tail, share: Number.NaN } }],
    ['limits that are no number', { findingBits: Number.NaN }],
    ['members out of order', { members: ['00000000000000ff', '0000000000000001', '0000000000000002'] }],
    ['a scale of nothing', { reference: { ...paramsOf(3).reference, scale: [1, 0, 1] } }],
    ['a mean that is no number', { reference: { ...paramsOf(3).reference, mean: [1, Number.NaN, 1] } }],
    [
      'loadings that are no unit vectors',
      {
        reference: {
          ...paramsOf(3).reference,
          loadings: [
            [1, 1, 1],
            [0, 1, 0],
            [0, 0, 1],
          ],
        },
      },
    ],
  ])('with %s is refused', (_name, change) => {
    const bytes = encodeGroupModel(modelOf({ ...paramsOf(3), ...change }));
    expect(() => decodeGroupModel(bytes)).toThrowError(expect.objectContaining({ code: 'payload.invalid' }));
  });

  test('that is none, cut off or altered gives an error or a model that says numbers', () => {
    const good = encodeGroupModel(modelOf(paramsOf(5)));
    const x = Float64Array.of(1, 2, 3, 4, 5);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const bytes = good.slice(0, cut ? at : good.length);
        if (!cut) bytes[at] = byte;
        try {
          for (const params of decodeGroupModel(bytes).groups.values()) {
            const verdict = emptyGroupVerdict();
            scoreGroup(params, startGroupModel(params), x.slice(0, params.members.length), new Uint8Array(5), verdict);
            expect(Number.isFinite(verdict.bits)).toBe(true);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^payload\./) });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
