import { describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { ReportFigures } from './api.ts';
import { decide, type Evidence, type Standing } from './decide.ts';

describe('the decision', () => {
  const figures = (change: Partial<ReportFigures> = {}): ReportFigures => ({
    windows: 1440,
    coverage: 0.98,
    pinball: 1,
    findingsPerDay: 0,
    falseIncidentsPerWeek: 0,
    pit: null,
    levels: [],
    ...change,
  });
  const none = { found: 0, delayMs: null };
  const evaluation = (challenger: Partial<ReportFigures>, champion: Partial<ReportFigures> | null): Evidence => ({
    recall: [],
    labelled: { cases: 0, challenger: none, champion: none, lost: 0, gained: 0 },
    origins: [],
    heldOutFromMs: 0,
    heldOutToMs: DAY_MS,
    windows: 1440,
    challenger: figures(challenger),
    champion: champion && figures(champion),
  });
  const standing = (change: Partial<NonNullable<Standing['champion']>> = {}): Standing => ({
    windowMs: MINUTE_MS,
    findingsPerDay: 1,
    challengerSeries: 100,
    challengerWindows: 1000,
    champion: { version: 3, series: 100, windows: 900, outdated: false, ...change },
  });
  const oneWindow = (challenger: Partial<ReportFigures>): Evidence => ({
    ...evaluation(challenger, null),
    heldOutToMs: MINUTE_MS,
  });
  const first: Standing = { ...standing(), champion: null };

  const cases: [string, Evidence, Standing, boolean, RegExp][] = [
    [
      'a first model that is calibrated',
      evaluation({}, null),
      first,
      true,
      /^The first model, and calibrated: 98 % of 1440/,
    ],
    ['a first model that is not', evaluation({ coverage: 0.89 }, null), first, false, /^Not calibrated: 89 %/],
    ['a first model by one window', oneWindow({ coverage: 0.81 }), first, true, /calibrated: 81 %/],
    [
      'a first model that one window is enough to refuse',
      oneWindow({ coverage: 0.79 }),
      first,
      false,
      /80 % are the least/,
    ],
    [
      'a better one where neither is calibrated',
      evaluation({ coverage: 0.85, pinball: 0.5 }, { coverage: 0.8 }),
      standing(),
      true,
      /^Better/,
    ],
    [
      'a loud one, the champion louder',
      evaluation({ findingsPerDay: 20, pinball: 0.5 }, { findingsPerDay: 21 }),
      standing(),
      true,
      /^Better/,
    ],
    ['no held-out windows', { ...evaluation({}, null), windows: 0 }, first, false, /no held-out windows/],
    ['a loud one', evaluation({ findingsPerDay: 9 }, null), first, false, /^Too loud: 9 findings .* allows 8/],
    [
      'one better by the margin',
      evaluation({ pinball: 0.98 }, {}),
      standing(),
      true,
      /^Better: its loss is 0.980 against 1.00 of model 3 \(2 % less\)/,
    ],
    ['one better by less', evaluation({ pinball: 0.985 }, {}), standing(), false, /^Not better by 2 %/],
    ['a worse one', evaluation({ pinball: 1.5 }, {}), standing({ windows: 1, series: 1 }), false, /^Not better/],
    [
      'an equal one, the champion not calibrated',
      evaluation({}, { coverage: 0.8 }),
      standing(),
      true,
      /no longer is \(80 %\)/,
    ],
    [
      'an equal one with more series',
      evaluation({}, {}),
      standing({ series: 90 }),
      true,
      /knows 100 series; model 3 knows 90/,
    ],
    ['an equal one with twice the history', evaluation({}, {}), standing({ windows: 500 }), true, /twice the history/],
    [
      'one that was taught, and is a little worse for its wider band',
      evaluation({ pinball: 1.08 }, {}),
      standing({ taught: true }),
      true,
      /^Little worse \(8 %\), and knows what operators said/,
    ],
    ['one as much worse that was not', evaluation({ pinball: 1.08 }, {}), standing(), false, /^Not better/],
    [
      'one that was taught, and is much worse',
      evaluation({ pinball: 1.12 }, {}),
      standing({ taught: true }),
      false,
      /^Not better/,
    ],
    [
      'an equal one, the champion of an incomplete window',
      evaluation({}, {}),
      standing({ incomplete: true }),
      true,
      /incomplete window/,
    ],
    [
      'a worse one, the champion of an incomplete window',
      evaluation({ pinball: 1.5 }, {}),
      standing({ incomplete: true }),
      false,
      /^Not better/,
    ],
    [
      'a worse one, the champion outdated',
      evaluation({ pinball: 2 }, {}),
      standing({ outdated: true }),
      true,
      /no longer made/,
    ],
    [
      'a loud one, the champion outdated',
      evaluation({ findingsPerDay: 99 }, {}),
      standing({ outdated: true }),
      false,
      /Too loud/,
    ],
  ];
  it.each(cases)('on %s', (_, figuresOf, stands, accepted, reason) => {
    const decision = decide(figuresOf, stands);
    expect(decision.reason).toMatch(reason);
    expect(decision.accepted).toBe(accepted);
  });
});
