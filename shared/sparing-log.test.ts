import { expect, test } from 'vitest';
import { sparingLog } from './sparing-log.ts';

test('the same complaint is logged so often in a minute; what is left out is counted and told', () => {
  let nowMs = 0;
  const lines: string[] = [];
  const take = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = sparingLog({ debug: take, info: take, warn: take, error: take }, () => nowMs);
  for (let i = 0; i < 1_000; i++) log.warn({}, 'bad envelope');
  expect(lines.length).toBe(60);
  log.error({}, 'something else');
  log.info({}, 'good news');
  expect(lines.slice(60)).toEqual(['something else {}', 'good news {}']);
  nowMs = 60_000;
  log.warn({}, 'bad envelope');
  expect(lines.slice(62)).toEqual([
    'more of the same were not logged {"of":"bad envelope","lines":940}',
    'bad envelope {}',
  ]);
});
