import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../limits.ts';
import { localMs, type ZoneOffsets } from './civil.ts';
import {
  dayShape,
  distanceFromSeason,
  isProven,
  learnSeason,
  PROFILE_SCALARS,
  type ProfileArrays,
  seasonLevel,
  slotOf,
  startProfile,
} from './season-profile.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 300_000;
const place = { ...dayShape, at: 0, firstSlot: 0, firstScale: 0 };

class Profile {
  readonly arrays: ProfileArrays = {
    scalars: new Float64Array(PROFILE_SCALARS),
    levels: new Int16Array(place.slots * place.kinds),
    floats: new Float32Array(place.slots / place.slotsAScale),
  };

  constructor() {
    startProfile(this.arrays, place);
  }

  /** Learns a series by the site's clock. */
  learn(fromMs: number, toMs: number, zone: ZoneOffsets, value: (local: number) => number): void {
    for (let utc = fromMs; utc < toMs; utc += STEP_MS) {
      const local = localMs(zone, utc);
      learnSeason(this.arrays, place, slotOf(place, local), value(local), STEP_MS);
    }
  }

  distance(local: number, x: number): number {
    return distanceFromSeason(this.arrays, place, slotOf(place, local), x);
  }
}

const utc: ZoneOffsets = { fromMs: [0], offsetMs: [0] };
const MONDAY = Date.UTC(2026, 2, 2);
const hourOf = (local: number): number => (((local % DAY_MS) + DAY_MS) / HOUR_MS) % 24;
/** Busy from 8 to 18, quiet else; a little uneven. */
const office = (local: number): number => (hourOf(local) >= 8 && hourOf(local) < 18 ? 80 : 15) + Math.sin(local / 7e5);

describe('the profile of a day', () => {
  it('is proven by a day that repeats itself, and not by noise', () => {
    const daily = new Profile();
    daily.learn(MONDAY, MONDAY + 4 * DAY_MS, utc, office);
    expect(isProven(daily.arrays, place)).toBe(true);
    const noise = new Profile();
    let seed = 1;
    noise.learn(MONDAY, MONDAY + 8 * DAY_MS, utc, () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (seed >> 8) % 100;
    });
    expect(isProven(noise.arrays, place)).toBe(false);
  });

  it('finds a usual value strange at an hour at which it is not usual', () => {
    const profile = new Profile();
    profile.learn(MONDAY, MONDAY + 5 * DAY_MS, utc, office);
    expect(Math.abs(profile.distance(MONDAY + 7 * DAY_MS + 12 * HOUR_MS, 80))).toBeLessThan(3);
    expect(profile.distance(MONDAY + 7 * DAY_MS + 3 * HOUR_MS, 80)).toBeGreaterThan(8);
    expect(profile.distance(MONDAY + 7 * DAY_MS + 12 * HOUR_MS, 15)).toBeLessThan(-8);
  });

  it('tells weekends apart, and takes them for weekdays until it has seen one', () => {
    const profile = new Profile();
    profile.learn(MONDAY, MONDAY + 5 * DAY_MS, utc, office);
    const saturdayNoon = MONDAY + 5 * DAY_MS + 12.1 * HOUR_MS;
    expect(Math.abs(profile.distance(saturdayNoon, 80))).toBeLessThan(3);
    profile.learn(MONDAY + 5 * DAY_MS, MONDAY + 7 * DAY_MS, utc, () => 5);
    expect(seasonLevel(profile.arrays, place, slotOf(place, saturdayNoon))).toBeCloseTo(5, 0);
    expect(seasonLevel(profile.arrays, place, slotOf(place, saturdayNoon + 2 * DAY_MS))).toBeCloseTo(80, -1);
  });

  it('goes with the clock when summer time begins', () => {
    const changeMs = Date.UTC(2026, 2, 29, 1);
    const berlin: ZoneOffsets = { fromMs: [0, changeMs], offsetMs: [HOUR_MS, 2 * HOUR_MS] };
    const profile = new Profile();
    profile.learn(Date.UTC(2026, 2, 16), Date.UTC(2026, 2, 28), berlin, office);
    // Monday after the change, 8:05 by the clock of the site: that is 6:05 UTC, an hour earlier than on the Friday before.
    const utcMs = Date.UTC(2026, 2, 30, 6, 5);
    expect(Math.abs(profile.distance(localMs(berlin, utcMs), 80))).toBeLessThan(2);
    expect(Math.abs(profile.distance(utcMs + HOUR_MS, 80))).toBeGreaterThan(3);
  });

  it('cuts days where they begin in a zone off the hour', () => {
    const kathmandu: ZoneOffsets = { fromMs: [0], offsetMs: [5.75 * HOUR_MS] };
    const midnight = Date.UTC(2026, 2, 3) - 5.75 * HOUR_MS;
    expect(slotOf(place, localMs(kathmandu, midnight))).toBe(0);
    expect(slotOf(place, localMs(kathmandu, midnight - 1))).toBe(95);
    expect(slotOf(place, localMs(kathmandu, Date.UTC(2026, 2, 6, 18, 15)))).toBe(96);
  });

  it('keeps a level to a small part of what the series moves by, whatever its size', () => {
    for (const size of [1e-6, 1, 5e9]) {
      const profile = new Profile();
      profile.learn(MONDAY, MONDAY + 4 * DAY_MS, utc, (local) => size * (1000 + office(local)));
      const noon = slotOf(place, MONDAY + 12.1 * HOUR_MS);
      expect(seasonLevel(profile.arrays, place, noon) / size).toBeCloseTo(1080, -1);
      expect(isProven(profile.arrays, place)).toBe(true);
    }
  });

  it('lives through absurd values', () => {
    const profile = new Profile();
    profile.learn(MONDAY, MONDAY + DAY_MS, utc, office);
    profile.learn(MONDAY + DAY_MS, MONDAY + DAY_MS + HOUR_MS, utc, () => 1e150);
    profile.learn(MONDAY + DAY_MS + HOUR_MS, MONDAY + 12 * DAY_MS, utc, () => -1e-300);
    expect(Number.isFinite(profile.distance(MONDAY, 15))).toBe(true);
  });
});
